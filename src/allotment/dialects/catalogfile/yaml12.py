"""YAML 1.2, core schema: `NO` is text, a repeated key is an error, and nothing else is magic.

ruamel.yaml finds the structure of the text; what a plain scalar means, and what is refused, is
decided here, because only `true` and `false` are truth values and a line number helps.

It has two parsers of one form. libyaml's is thirty times faster, and is of YAML 1.1: it is asked
about texts that have nothing in which the two versions differ. The other one is of YAML 1.2, and
says what is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import lru_cache
from typing import Final, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError, YAMLStreamError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionStartEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
    StreamStartEvent,
)

from allotment.dialects.catalogfile.advice import quoted
from allotment.dialects.catalogfile.cursor import Cursor, Tree
from allotment.dialects.wire.source import DIGITS_MAX, TOO_LONG
from allotment.errors import InvalidInput

Take: TypeAlias = Callable[[], Event]

# How many values aliases may repeat, all in all: ten levels of ten aliases would be 10^10.
_ALIASED_MAX: Final = 100_000

_WORDS: Final[dict[str, Tree]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}
_INTEGER: Final = re.compile(r"[-+]?[0-9]+\Z|0o[0-7]+\Z|0x[0-9a-fA-F]+\Z")
_DECIMAL: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
# What the two versions may read in two ways: line ends and marks that 1.2 has no more, half
# characters, tabs, anchors, tags, a comment right behind a block's head. It begins with one set of
# characters, which is searched for ten times faster than what begins in several ways.
_UNLIKE: Final = re.compile(
    r"[\t\x85\u2028\u2029\ufeff\ud800-\udfff&*!|>]"
    r"(?:(?<=[^&*!|>])|(?<=[&*!])(?<![^\s\[\]{},:?-].)|(?<=[|>])[-+0-9]*#)"
)
# Directives, and where documents begin and end.
_UNLIKE_LINES: Final = ("%", "...", "---")
_ONE_DOCUMENT: Final = [StreamStartEvent, DocumentStartEvent, DocumentEndEvent, StreamEndEvent]
_PADDED: Final = re.compile(r"[-+]?0[0-9]+\Z")


def resolve(text: str) -> Tree:
    """What a plain scalar means in the core schema of YAML 1.2.

    >>> resolve("NO"), resolve("on"), resolve("true"), resolve("1_000"), resolve("33.5")
    ('NO', 'on', True, '1_000', 33.5)
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "0123456789+-.":
        return text
    if _INTEGER.match(text):
        bases = {"0o": 8, "0x": 16}
        return int(text, bases.get(text[:2], 10)) if len(text) <= DIGITS_MAX else TOO_LONG
    return float(text) if _DECIMAL.match(text) else text


def compose(text: str, depth_max: int) -> Tree:
    """The tree of the one document in `text`; raises InvalidInput with the line and the path."""
    if not _is_unlike(text):
        with suppress(YAMLError):  # the other parser says it better
            with suppress(_Odd):
                return _compose_quickly(text, depth_max)
            return _Composer(text, depth_max, pure=False).document()
    return compose_purely(text, depth_max)


def _is_unlike(text: str) -> bool:
    """Whether the two versions of YAML may read the text in two ways."""
    if _UNLIKE.search(text) or text.startswith(_UNLIKE_LINES):
        return True
    return any(f"\n{line}" in text for line in _UNLIKE_LINES)


class _Odd(Exception):
    """There is something that `_Composer` refuses, or has to look at."""


def _compose_quickly(text: str, depth_max: int) -> Tree:
    """The tree of a text in which there is no anchor and no tag, as `_is_unlike` has found."""
    take: Take = YAML(typ="safe", pure=False).get_constructor_parser(text)[1].get_event
    around = [type(take()), type(take())]
    tree = _quick_node(take(), take, depth_max)
    if [*around, type(take()), type(take())] != _ONE_DOCUMENT:
        raise _Odd
    return tree


def _quick_node(event: Event, take: Take, depth: int) -> Tree:
    if type(event) is ScalarEvent:
        return event.value if event.style else _meant(event.value)
    if depth == 0:
        raise _Odd
    if type(event) is MappingStartEvent:
        mapping: dict[str, Tree] = {}
        entries = 0
        while type(event := take()) is ScalarEvent:
            mapping[event.value] = _quick_node(take(), take, depth - 1)
            entries += 1
        if type(event) is MappingEndEvent and len(mapping) == entries:
            return mapping
    elif type(event) is SequenceStartEvent:
        sequence: list[Tree] = []
        while type(event := take()) is not SequenceEndEvent:
            sequence.append(_quick_node(event, take, depth - 1))
        return sequence
    raise _Odd


@lru_cache(1 << 12)
def _meant(text: str) -> Tree:
    if _PADDED.match(text):
        raise _Odd
    return resolve(text)


def compose_purely(text: str, depth_max: int) -> Tree:
    """The same by the parser of YAML 1.2 alone."""
    composer = _Composer(text, depth_max, pure=True)
    try:
        return composer.document()
    except (YAMLError, YAMLStreamError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f"line {mark.line + 1}: " if mark else ""
        problem = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
        raise InvalidInput(f"{line}this is not YAML: {problem}", composer.place.path) from None


class _Composer:
    """Builds the tree from the parser's events; `place` is where it is."""

    def __init__(self, text: str, depth_max: int, *, pure: bool) -> None:
        self._events: Iterator[Event] = YAML(typ="safe", pure=pure).parse(text)
        self._depth = depth_max
        self._anchors: dict[str, tuple[Tree, int]] = {}
        self._values = 0
        self._aliased = 0
        self.place = Cursor(None)

    def document(self) -> Tree:
        tree: Tree = None
        documents = 0
        for event in self._events:
            if isinstance(event, DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise self._refusal(event, "a catalog is one document; drop the second")
                if event.version not in (None, (1, 2)):
                    raise self._refusal(event, "a catalog is YAML 1.2; drop the directive")
            elif isinstance(event, NodeEvent):
                tree = self._node(event)
        return tree

    def _node(self, event: Event) -> Tree:
        before = self._values
        self._values += 1
        if isinstance(event, AliasEvent):
            return self._alias(event)
        assert isinstance(event, ScalarEvent | CollectionStartEvent)  # a node is one of these
        if event.tag is not None:
            raise self._refusal(event, f"tags such as {event.tag} are not used in a catalog")
        tree = self._scalar(event) if isinstance(event, ScalarEvent) else self._collection(event)
        if event.anchor is not None:
            self._anchors[event.anchor] = tree, self._values - before
        return tree

    def _scalar(self, event: ScalarEvent) -> Tree:
        text: str = event.value
        if event.style:
            return text
        if _PADDED.match(text):
            message = f"{text} would lose its leading zeros; quote it as text, or drop them"
            raise self._refusal(event, message)
        return resolve(text)

    def _collection(self, event: NodeEvent) -> Tree:
        if self._depth == 0:
            raise self._refusal(event, "the catalog is nested too deep")
        self._depth -= 1
        outside = self.place
        tree = self._mapping() if isinstance(event, MappingStartEvent) else self._sequence()
        self.place = outside
        self._depth += 1
        return tree

    def _mapping(self) -> Tree:
        outside, mapping = self.place, dict[str, Tree]()
        while not isinstance(event := next(self._events), MappingEndEvent):
            if not isinstance(event, ScalarEvent) or event.tag is not None:
                raise self._refusal(event, "a key is plain text")
            # A key is text as it is written: `1`, `true` and `NO` are keys of one, four and two
            # characters.
            key: str = event.value
            self.place = Cursor(None, key, outside)
            if key in mapping:
                message = f"the key {quoted(key)} is given twice; keep one of them"
                raise self._refusal(event, message)
            mapping[key] = self._node(next(self._events))
        return mapping

    def _sequence(self) -> Tree:
        outside, sequence = self.place, list[Tree]()
        while not isinstance(event := next(self._events), SequenceEndEvent):
            self.place = Cursor(None, len(sequence), outside)
            sequence.append(self._node(event))
        return sequence

    def _alias(self, event: AliasEvent) -> Tree:
        if event.anchor not in self._anchors:
            raise self._refusal(event, f"nothing before this is anchored as &{event.anchor}")
        tree, size = self._anchors[event.anchor]
        self._values += size
        self._aliased += size
        if self._aliased > _ALIASED_MAX:
            message = f"aliases repeat more than {_ALIASED_MAX:,} values; write them out"
            raise self._refusal(event, message)
        return tree

    def _refusal(self, event: Event, message: str) -> InvalidInput:
        return InvalidInput(f"line {event.start_mark.line + 1}: {message}", self.place.path)
