"""The answers of one revision as JSON. The kernel makes each answer once, and so do we its text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import msgspec

from allotment.engine.assignment_json import member_of
from allotment.matching.index import Work
from allotment.model.assignment import Assignment, Reason, Resolution
from allotment.server.assign.bodies import ResolutionBody
from allotment.server.http.answer import Ready
from allotment.server.sync.spaces import Served

# What every answer says of itself.
ALWAYS: Final = ((b"x-content-type-options", b"nosniff"),)

# How many texts are kept: tens of megabytes at the most, however many experiments there are.
_TEXTS_MAX: Final = 65_536

_encode: Final = msgspec.json.Encoder().encode


class _Text(NamedTuple):
    """The text of one answer, as a member of others and by itself."""

    member: bytes
    alone: Ready


class Shown:
    """What is served of a space at one revision, and the text of what it has answered."""

    __slots__ = ("_assigned", "_opening", "_resolved", "headers", "served", "took", "work")

    def __init__(self, served: Served) -> None:
        self.served = served
        self.work: Work | None = None  # of all experiments, made at the first request for all
        self.took: dict[Any, Any] = {}  # what batches took, by how they ask (`batch.quick`)
        self.headers = [(b"content-type", b"application/json"), *ALWAYS, *served.headers]
        self._opening = b'{"revision":%d,"' % served.revision
        # By the identity of an answer, which is held so that no other object takes it.
        self._assigned: dict[int, tuple[Assignment, _Text]] = {}
        self._resolved: dict[tuple[str | None, ...], _Text] = {}

    def ready(self, body: bytes) -> Ready:
        """A body of JSON as an answer."""
        return Ready([*self.headers, (b"content-length", b"%d" % len(body))], body)

    def assignment(self, given: Assignment) -> Ready:
        """The answer that holds one assignment."""
        known = self._assigned.get(id(given))
        return self._assignment(given).alone if known is None else known[1].alone

    def assignments(self, given: Iterable[Assignment]) -> Ready:
        """The answer that holds several, by experiment."""
        known = self._assigned.get
        texts = [
            found[1] if (found := known(id(each))) else self._assignment(each) for each in given
        ]
        return self._around(b"assignments", [text.member for text in texts])

    def all(self, assignments: bytes) -> Ready:
        """The answer that holds those of all experiments, which are JSON already."""
        return self.ready(b'%bassignments":%b}' % (self._opening, assignments))

    def resolution(self, given: Resolution, treatment: str | None) -> Ready:
        """The answer that holds one flag's value, and the treatment it came from."""
        return self._resolution(given, treatment).alone

    def resolutions(self, given: Iterable[tuple[Resolution, str | None]]) -> Ready:
        """The answer that holds several, by flag."""
        return self._around(b"resolutions", [self._resolution(*each).member for each in given])

    def _assignment(self, given: Assignment) -> _Text:
        known = self._assigned.get(id(given))
        if known is not None:
            return known[1]
        text = self._text(b"assignments", member_of(given))
        # Answers for unknown experiments are made each time.
        if given.reason is not Reason.UNKNOWN_EXPERIMENT:
            if len(self._assigned) >= _TEXTS_MAX:
                self._assigned.clear()
            self._assigned[id(given)] = (given, text)
        return text

    def _resolution(self, given: Resolution, treatment: str | None) -> _Text:
        asked = (given.flag, given.variation, given.experiment, given.reason, treatment)
        known = self._resolved.get(asked)
        if known is not None:
            return known
        member = b"%b:%b" % (_encode(given.flag), _encode(_resolved(given, treatment)))
        text = self._text(b"resolutions", member)
        # There is no end to the names of flags that are not there.
        if given.variation is not None:
            if len(self._resolved) >= _TEXTS_MAX:
                self._resolved.clear()
            self._resolved[asked] = text
        return text

    def _text(self, noun: bytes, member: bytes) -> _Text:
        return _Text(member, self._around(noun, [member]))

    def _around(self, noun: bytes, members: list[bytes]) -> Ready:
        return self.ready(b'%b%b":{%b}}' % (self._opening, noun, b",".join(members)))


def _resolved(given: Resolution, treatment: str | None) -> ResolutionBody:
    return ResolutionBody(given.value, given.variation, given.experiment, treatment, given.reason)
