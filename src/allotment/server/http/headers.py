"""The grammars of header fields (RFC 9110), each read in one place: lists, tokens, quoted strings,
parameters, media types, qualities and entity tags.

The patterns never backtrack: a header that is long and wrong is refused as fast as it is read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from allotment.errors import InvalidInput
from allotment.server.http.refusals import NotAcceptable, UnsupportedMedia

_TOKEN: Final = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"
_QUOTED: Final = r'"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t \x21-\x7e\x80-\xff])*+"'
_PARAMETER: Final = re.compile(rf";[ \t]*+({_TOKEN})=({_TOKEN}|{_QUOTED})")
_MEDIA: Final = re.compile(
    rf"({_TOKEN}/{_TOKEN})((?:[ \t]*+;[ \t]*+(?:{_TOKEN}=(?:{_TOKEN}|{_QUOTED}))?+)*+)"
)
_CODING: Final = re.compile(rf"({_TOKEN})((?:[ \t]*+;[ \t]*+{_TOKEN}={_TOKEN})*+)")
_TAG: Final = re.compile(r'(W/)?+"([\x21\x23-\x7e\x80-\xff]*+)"')
_BETWEEN: Final = re.compile(r"[ \t,]*+")
_AFTER: Final = re.compile(r"[ \t]*+(?:,|\Z)")
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_QUALITY: Final = re.compile(r"(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)\Z")
_JSON: Final = re.compile(r"application/(?:[^/]+\+)?json\Z")

# The second is no registered name, but what many clients write.
_UTF8: Final = frozenset({"utf-8", "utf8"})


@dataclass(frozen=True, slots=True)
class Media:
    """A media type, or a range of them: `kind` and the names of its parameters are lower case."""

    kind: str
    parameters: Mapping[str, str]

    @property
    def is_utf8(self) -> bool:
        """Whether its text is UTF-8, which it is where it says nothing."""
        return self.parameters.get("charset", "utf-8").lower() in _UTF8

    @property
    def is_json(self) -> bool:
        """Whether it is JSON or a `+json` type, in UTF-8."""
        return self.is_utf8 and _JSON.match(self.kind) is not None


def read_media(header: str) -> Media:
    """The media type of a Content-Type; raises UnsupportedMedia for what is none."""
    match = _MEDIA.fullmatch(header.strip(" \t"))
    if match is None:
        raise UnsupportedMedia("this is no media type", "headers.Content-Type")
    return _media(match, "headers.Content-Type")


def preferred(
    accept: str | None, forms: Sequence[str], also: Mapping[str, str] | None = None
) -> str:
    """The form an Accept likes best, the earlier of two that it likes alike.

    `also` gives forms by other names they go by. A range names a form whatever parameters it has:
    no form here has any. Raises NotAcceptable where it likes none, InvalidInput where it cannot be
    understood.
    """
    ranges = [_liked(match) for match in _elements(accept or "", _MEDIA, "Accept", "media ranges")]
    if not ranges:
        return forms[0]
    best = max(forms, key=lambda form: _liking(form, ranges, also or {}))
    if _liking(best, ranges, also or {}) == 0:
        known = " or ".join(dict.fromkeys(forms))
        raise NotAcceptable(f"this is answered as {known}", "headers.Accept")
    return best


def admits(header: str | None, coding: str) -> bool:
    """Whether an Accept-Encoding lets an answer be coded so; a `*` speaks for what it leaves out.

    Raises InvalidInput where it cannot be understood.
    """
    where = "headers.Accept-Encoding"
    found = {
        match[1].lower(): _quality(_parameters(match[2], where), where)
        for match in _elements(header or "", _CODING, "Accept-Encoding", "codings such as gzip")
    }
    return found.get(coding, found.get("*", 0)) > 0


@dataclass(frozen=True, slots=True)
class Tags:
    """The entity tags of a conditional header; `any` stands for `*`. Weak ones are kept apart."""

    any: bool = False
    strong: frozenset[str] = frozenset()
    weak: frozenset[str] = frozenset()


def read_tags(header: str, name: str) -> Tags:
    """The tags of a header; raises InvalidInput for what is not a list of tags."""
    if header.strip(" \t") == "*":
        return Tags(any=True)
    found = _elements(header, _TAG, name, 'entity tags such as "17", or `*`')
    if not found:
        raise InvalidInput('give entity tags such as "17", or `*`', f"headers.{name}")
    strong, weak = (
        frozenset(tag[2] for tag in found if bool(tag[1]) is is_weak) for is_weak in (False, True)
    )
    return Tags(strong=strong, weak=weak)


def _elements(header: str, element: re.Pattern[str], name: str, what: str) -> list[re.Match[str]]:
    """The elements of a list, between commas; empty ones are passed over."""
    found: list[re.Match[str]] = []
    at = _end(_BETWEEN, header, 0)
    while at < len(header):
        match = element.match(header, at)
        after = match and _AFTER.match(header, match.end())
        if match is None or after is None:
            raise InvalidInput(f"this is a list of {what}", f"headers.{name}")
        found.append(match)
        at = _end(_BETWEEN, header, after.end())
    return found


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    match = pattern.match(text, at)
    return match.end() if match else at


def _media(match: re.Match[str], where: str) -> Media:
    return Media(match[1].lower(), _parameters(match[2], where))


def _parameters(text: str, where: str) -> dict[str, str]:
    parameters: dict[str, str] = {}
    for name, value in _PARAMETER.findall(text):
        if name.lower() in parameters:
            raise InvalidInput(f"the parameter {name.lower()} is given twice", where)
        quoted = value.startswith('"')
        parameters[name.lower()] = _ESCAPED.sub(r"\1", value[1:-1]) if quoted else value
    return parameters


def _liked(match: re.Match[str]) -> tuple[str, int]:
    """A media range, and how much it is liked, in thousandths."""
    media = _media(match, "headers.Accept")
    return media.kind, _quality(media.parameters, "headers.Accept")


def _quality(parameters: Mapping[str, str], where: str) -> int:
    """How much something is liked, in thousandths."""
    quality = parameters.get("q", "1")
    if not _QUALITY.match(quality):
        raise InvalidInput("a quality is a number from 0 to 1, such as q=0.5", where)
    whole, _, parts = quality.partition(".")
    return int(whole) * 1000 + int(parts.ljust(3, "0"))


def _liking(form: str, ranges: Sequence[tuple[str, int]], also: Mapping[str, str]) -> int:
    """How much a form is liked: the most exact of the ranges that name it say."""
    names = {form, *(name for name, other in also.items() if other == form)}
    for exact in (names, {f"{form.partition('/')[0]}/*"}, {"*/*"}):
        found = [quality for kind, quality in ranges if kind in exact]
        if found:
            return max(found)
    return 0
