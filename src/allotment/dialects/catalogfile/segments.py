"""Segments, in the file and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from allotment.dialects.catalogfile.conditions import read_condition, show_condition
from allotment.dialects.catalogfile.emit import Lines
from allotment.dialects.catalogfile.place import Place, Tree
from allotment.dialects.catalogfile.values import read_kept, show_kept
from allotment.errors import InvalidInput
from allotment.model.idlist import IdList
from allotment.model.segment import Segment

# Reads the bytes of a list that lies beside the catalog, by the name that the catalog gives it.
Lists = Callable[[str], bytes]

_FIELDS: Final = ("name", "description", "unit", "include", "exclude", "rules", "kept")

# Lists longer than this are shown as a block of text, an id a line.
_LISTED_MAX: Final = 8


def read_segment(key: str, place: Place, lists: Lists | None) -> Segment:
    """The segment at `place`."""
    place.fields(_FIELDS)
    return Segment(
        key=key,
        name=place.at("name").name(),
        description=place.at("description").description(),
        unit=place.at("unit").key("user"),
        include=_read_ids(place.at("include"), lists),
        exclude=_read_ids(place.at("exclude"), lists),
        rules=tuple(read_condition(rule) for rule in place.at("rules").items()),
        kept=read_kept(place.at("kept")),
    )


def show_segment(segment: Segment) -> Tree:
    """The segment as the file spells it, its lists inline."""
    shown: dict[str, Tree] = {
        "name": segment.name,
        "description": segment.description,
        "unit": "" if segment.unit == "user" else segment.unit,
        "include": _show_ids(segment.include),
        "exclude": _show_ids(segment.exclude),
        "rules": [show_condition(rule) for rule in segment.rules],
        **show_kept(segment.kept),
    }
    return {field: value for field, value in shown.items() if value}


def _read_ids(place: Place, lists: Lists | None) -> IdList:
    """A list of ids, a block of text with an id a line, or the name of a file that holds one."""
    if isinstance(place.value, str):
        return _of_lines(place.value, place)
    if isinstance(place.value, dict):
        file = place.fields(("file",)).at("file")
        return _of_lines(_read_file(file, lists), file)
    return IdList.of((item.text() for item in place.items()), place.path)


def _read_file(place: Place, lists: Lists | None) -> str:
    name = place.text()
    if lists is None:
        raise place.refusal("a list in a file needs a catalog in a file; give the ids here")
    try:
        return lists(name).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise place.refusal("the list is not UTF-8; save it as UTF-8") from None
    except InvalidInput as error:
        raise error if error.path else place.refusal(error.message) from None


def _of_lines(text: str, place: Place) -> IdList:
    """An id a line, taken as it is; a line ends in LF or CRLF, and the last need not end."""
    ids = text.replace("\r\n", "\n").split("\n")
    if ids[-1] == "":
        ids.pop()
    if "" in ids:
        raise place.refusal(f"line {ids.index('') + 1} is empty; an id has at least a character")
    return IdList.of(ids, place.path)


def _show_ids(ids: IdList) -> Tree:
    if len(ids) > _LISTED_MAX:
        text = ids.text.decode()
        if all(line.isprintable() and line[0] != " " for line in text.split("\n")):
            return Lines(text + "\n")
    return list(ids)
