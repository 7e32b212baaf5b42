"""The three forms of a batch, and which of them a request is in and wants to be answered in."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

from allotment.errors import InvalidInput
from allotment.server.refusals import NotAcceptable, UnsupportedMedia


class Form(StrEnum):
    """A form, by its media type."""

    JSON = "application/json"
    NDJSON = "application/x-ndjson"
    ARROW = "application/vnd.apache.arrow.stream"


# Other names that the same things go by.
_ALSO: Final = {
    "application/ndjson": Form.NDJSON,
    "application/jsonl": Form.NDJSON,
    "application/x-jsonlines": Form.NDJSON,
}
_NAMES: Final = {**{form.value: form for form in Form}, **_ALSO}
_ALL: Final = ", ".join(Form)
_QUALITY: Final = re.compile(r"(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)\Z")


def form_given(content_type: bytes | None) -> Form:
    """The form a body is in; JSON where nothing is said. Raises UnsupportedMedia."""
    if content_type is None:
        return Form.JSON
    kind, *parameters = _parts(content_type.decode("latin-1"), ";")
    form = _NAMES.get(kind)
    charsets = [each for each in parameters if each.startswith("charset=")]
    if form is None or any(each.partition("=")[2].strip('"') != "utf-8" for each in charsets):
        raise UnsupportedMedia(f"a batch is one of {_ALL}, in UTF-8", "headers.Content-Type")
    return form


def form_wanted(accept: bytes | None, given: Form) -> Form:
    """The form that the client likes best; the given one where it likes that no less.

    Raises NotAcceptable where it takes none, InvalidInput where it cannot be understood.
    """
    if accept is None or not accept.strip():
        return given
    liked = [_liked(each) for each in _parts(accept.decode("latin-1"), ",") if each]
    best: Form = max((given, *Form), key=lambda form: _quality(form, liked))
    if _quality(best, liked) == 0:
        raise NotAcceptable(f"a batch is answered as one of {_ALL}", "headers.Accept")
    return best


def _liked(text: str) -> tuple[str, float]:
    """A range of media types, and how much it is liked."""
    kind, *parameters = _parts(text, ";")
    for each in parameters:
        name, _, value = each.partition("=")
        if name.strip() == "q":
            if not _QUALITY.match(value.strip()):
                raise InvalidInput("a quality is a number from 0 to 1", "headers.Accept")
            return kind, float(value)
    return kind, 1.0


def _quality(form: Form, liked: list[tuple[str, float]]) -> float:
    """How much a form is liked: the most exact range that it falls in says it."""
    names = [name for name, other in _NAMES.items() if other is form]
    for ranges in (names, ["application/*"], ["*/*"]):
        found = [quality for kind, quality in liked if kind in ranges]
        if found:
            return max(found)
    return 0.0


def _parts(text: str, between: str) -> list[str]:
    return [part.strip() for part in text.lower().split(between)]
