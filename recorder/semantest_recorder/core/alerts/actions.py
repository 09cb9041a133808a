"""What people may ask for: the body of ``POST /api/v1/alerts/actions``, and what ``semantest alerts`` does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

import msgspec

#: Characters of a pattern for rules or subjects.
MOST_PATTERN: Final = 1000
_Pattern = Annotated[str, msgspec.Meta(min_length=1, max_length=MOST_PATTERN)]
_Words = Annotated[str, msgspec.Meta(max_length=500)]
#: Of one request: more are asked for in parts, or all at once.
_Ids = Annotated[list[Annotated[str, msgspec.Meta(max_length=100)]], msgspec.Meta(max_length=1000)]


class _Asked(msgspec.Struct, frozen=True, kw_only=True, rename="camel", tag_field="do", forbid_unknown_fields=True):
    pass


class MakeSilence(_Asked, tag="silence", frozen=True, kw_only=True):
    """Alerts of rules and subjects that match these patterns are not told until then."""

    rule: _Pattern = "*"
    subject: _Pattern = "*"
    until_ms: float
    reason: _Words = ""
    who: _Words = ""


class EndSilence(_Asked, tag="unsilence", frozen=True, kw_only=True):
    """What the silence of this id held back is told."""

    id: str


class RetryDead(_Asked, tag="retry", frozen=True, kw_only=True):
    """Dead letters are sent again; ``null``: all of them."""

    ids: _Ids | None


class DropDead(_Asked, tag="drop", frozen=True, kw_only=True):
    """Dead letters are deleted; ``null``: all of them."""

    ids: _Ids | None


class Trial(_Asked, tag="test", frozen=True, kw_only=True):
    """A message that says that it is a test, to the channels of a rule, to one channel, or (empty) to all of them."""

    name: str = ""


Action = MakeSilence | EndSilence | RetryDead | DropDead | Trial


class TrialAnswer(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What the other side of a channel answered."""

    channel: str
    delivered: bool
    answer: str


class Done(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What was done: how many there were, the id of a new silence, the answers to a test."""

    count: int = 0
    id: str | None = None
    answers: Sequence[TrialAnswer] = ()
