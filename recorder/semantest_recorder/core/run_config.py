"""What a client asks of a run that it starts (PROTOCOL, run config)."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec

#: What clients may call a run: no control characters, the second range of them (C1) included.
RUN_ID: Final = r"^[^\x00-\x1f\x7f-\x9f]{1,150}\Z"
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
_Names = Annotated[tuple[Name, ...], msgspec.Meta(max_length=100)]


class RunConfig(msgspec.Struct, rename="camel", frozen=True):
    """The config of a run.

    ``timeout`` is milliseconds for the whole run; ``retries`` how often a failed test may be run again; ``parallel``,
    ``max_concurrency`` and ``browsers`` are kept for whoever runs the tests.
    """

    run_id: Annotated[str, msgspec.Meta(min_length=1, max_length=150, pattern=RUN_ID)]
    name: Annotated[str, msgspec.Meta(max_length=500)] | None = None
    browsers: _Names = ()
    tags: _Names = ()
    parallel: bool | None = None
    max_concurrency: Annotated[int, msgspec.Meta(ge=1, le=100_000)] | None = None
    timeout: Annotated[float, msgspec.Meta(gt=0, le=1e10)] | None = None
    retries: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 0
    fail_fast: bool = False


class InvalidConfig(ValueError):  # noqa: N818 - named for what it says about its argument
    """The config cannot be read; the text says which field and why."""


def read_config(payload: bytes | msgspec.Raw) -> RunConfig:
    """The config out of a ``startTestRun``. Raises ``InvalidConfig``."""
    try:
        return msgspec.json.decode(payload, type=RunConfig)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise InvalidConfig(f"the run config: {error}") from None


def config_of(facts: dict[str, Any], run_id: str) -> RunConfig:
    """The config that a ``run/start`` in the log holds; a default one where it cannot be read."""
    try:
        config: RunConfig = msgspec.convert({**facts.get("config", {}), "runId": run_id}, RunConfig)
    except (msgspec.ValidationError, TypeError, UnicodeEncodeError):
        return RunConfig(run_id)
    return config
