"""Completion in bash of words with colons, which test ids have: bash splits words there, and click believes it."""

from __future__ import annotations

import os

from click.shell_completion import BashComplete, add_completion_class, split_arg_string

#: The line up to the cursor is handed over; of what comes back, bash wants what is behind the last colon typed.
#: A word that begins with a quote is split nowhere, and stays quoted.
_SCRIPT = r"""%(complete_func)s() {
    local response type value current prefix= line="${COMP_LINE:0:COMP_POINT}"
    current="${line##*[[:space:]]}"
    if [[ $COMP_WORDBREAKS == *:* && $current == *:* && $current != [\'\"]* ]]; then
        prefix="${current%%"${current##*:}"}"
    fi
    response=$(env COMP_WORDS="$line" COMP_CWORD=$COMP_CWORD %(complete_var)s=bash_complete "$1")
    COMPREPLY=()
    while IFS=',' read -r type value; do
        if [[ $type == 'dir' ]]; then
            compopt -o dirnames
        elif [[ $type == 'file' ]]; then
            compopt -o default
        elif [[ $type == 'plain' ]]; then
            case $current in
                \'*) value=${value//\'/\'\\\'\'} ;;
                \"*)
                    value=${value//\\/\\\\}
                    value=${value//\$/\\\$}
                    value=${value//\`/\\\`}
                    value=${value//\"/\\\"}
                    ;;
                *) printf -v value '%%q' "$value" ;;
            esac
            COMPREPLY+=("${value#"$prefix"}")
        fi
    done <<< "$response"
    return 0
}

complete -o nosort -F %(complete_func)s %(prog_name)s
"""


class LineCompletion(BashComplete):
    """Takes the words from the whole line; scripts that hand over words joined by blanks work as well."""

    source_template = _SCRIPT

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words before the one that is typed, and that one."""
        line = os.environ["COMP_WORDS"]
        words = split_arg_string(line)[1:]
        if not words or line[-1:].isspace():
            return words, ""
        return words[:-1], words[-1]


def use_line_completion() -> None:
    """Make it what is meant by ``bash``."""
    add_completion_class(LineCompletion)
