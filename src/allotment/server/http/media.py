"""The three forms of a batch, and which of them a request is in and wants to be answered in."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from allotment.server.http.headers import preferred, read_media
from allotment.server.http.refusals import UnsupportedMedia


class MediaForm(StrEnum):
    """A form, by its media type."""

    JSON = "application/json"
    NDJSON = "application/x-ndjson"
    ARROW = "application/vnd.apache.arrow.stream"


# Other names that the same things go by.
_ALSO: Final = {
    "application/ndjson": MediaForm.NDJSON,
    "application/jsonl": MediaForm.NDJSON,
    "application/x-jsonlines": MediaForm.NDJSON,
}
_NAMES: Final = {**{form.value: form for form in MediaForm}, **_ALSO}
_ALL: Final = ", ".join(MediaForm)


def form_given(content_type: str | None) -> MediaForm:
    """The form a body is in; JSON where nothing is said. Raises UnsupportedMedia."""
    if content_type is None:
        return MediaForm.JSON
    media = read_media(content_type)
    form = _NAMES.get(media.kind)
    if form is None or not media.is_utf8:
        raise UnsupportedMedia(f"a batch is one of {_ALL}, in UTF-8", "headers.Content-Type")
    return form


def form_wanted(accept: str | None, given: MediaForm) -> MediaForm:
    """The form that the client likes best; the given one where it likes that no less.

    Raises NotAcceptable where it takes none, InvalidInput where it cannot be understood.
    """
    return MediaForm(preferred(accept, (given, *MediaForm), _ALSO))
