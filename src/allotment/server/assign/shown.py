"""The answers of one revision as JSON. The kernel makes each answer once, and so do we its text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from allotment.model.assignment import Assignment
from allotment.model.reason import Reason
from allotment.model.resolution import Resolution
from allotment.server.served import Served

# What every answer says of itself.
ALWAYS: Final = ((b"x-content-type-options", b"nosniff"),)

# How many texts are kept: tens of megabytes at the most, however many experiments there are.
_TEXTS_MAX: Final = 65_536

_encode: Final = msgspec.json.Encoder().encode


class Shown:
    """What is served of a space at one revision, and the text of what it has answered."""

    __slots__ = ("_opening", "_texts", "headers", "served")

    def __init__(self, served: Served) -> None:
        self.served = served
        self.headers = [(b"content-type", b"application/json"), *ALWAYS, *served.headers]
        self._opening = b'{"revision":%d,' % served.revision
        # By the identity of an answer, which is held so that no other takes its place.
        self._texts: dict[int, tuple[Assignment, bytes]] = {}

    def assignments(self, given: Iterable[Assignment]) -> bytes:
        """A body that holds the answers by experiment."""
        texts = self._texts
        parts = []
        for each in given:
            found = texts.get(id(each))
            parts.append(found[1] if found is not None else self._text(each))
        return b'%b"assignments":{%b}}' % (self._opening, b",".join(parts))

    def _text(self, given: Assignment) -> bytes:
        text = b"%b:%b" % (_encode(given.experiment), _encode(plain_assignment(given)))
        # Answers for unknown experiments are made anew each time.
        if given.reason is not Reason.UNKNOWN_EXPERIMENT:
            if len(self._texts) >= _TEXTS_MAX:
                self._texts.clear()
            self._texts[id(given)] = (given, text)
        return text

    def resolutions(self, given: Iterable[tuple[Resolution, str | None]]) -> bytes:
        """A body that holds values by flag, each with the treatment it came from."""
        plain = {each.flag: _plain_resolution(each, treatment) for each, treatment in given}
        return b'%b"resolutions":%b}' % (self._opening, _encode(plain))


def plain_assignment(given: Assignment) -> dict[str, Any]:
    """An assignment as plain values, without the experiment's key."""
    return {
        "treatment": given.treatment,
        "reason": given.reason.value,
        "variations": dict(given.variations),
        "is_control": given.is_control,
        "iteration": given.iteration,
        "revision": given.revision,
        "to_keep": given.to_keep,
    }


def _plain_resolution(given: Resolution, treatment: str | None) -> dict[str, Any]:
    return {
        "value": given.value,
        "variation": given.variation,
        "experiment": given.experiment,
        "treatment": treatment,
        "reason": given.reason,
    }
