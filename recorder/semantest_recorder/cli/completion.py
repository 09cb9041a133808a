"""``semantest completion``: the shell's completion script."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from semantest_recorder.cli.bash_completion import use_line_completion
from semantest_recorder.cli.help_end import help_end
from semantest_recorder.cli.stop import Stop


@click.command(
    "completion",
    epilog=help_end(
        'eval "$(semantest completion bash)"                                      in ~/.bashrc',
        'eval "$(semantest completion zsh)"                                       in ~/.zshrc',
        "semantest completion fish > ~/.config/fish/completions/semantest.fish",
    ),
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the completion script of a shell."""
    use_line_completion()
    script = get_completion_class(shell)
    if script is None:
        raise Stop(f"click knows no completion for {shell}; bash, zsh and fish are known.")
    root = ctx.find_root()
    source = script(root.command, {}, "semantest", "_SEMANTEST_COMPLETE").source()
    click.echo(source)
