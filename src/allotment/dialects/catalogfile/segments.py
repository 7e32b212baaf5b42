"""Segments, in the file and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from allotment.dialects.catalogfile.conditions import read_condition, show_condition
from allotment.dialects.catalogfile.cursor import Cursor, Tree
from allotment.dialects.catalogfile.emit import TextBlock
from allotment.dialects.catalogfile.iterations import read_share
from allotment.dialects.catalogfile.layers import read_ranges, show_ranges
from allotment.dialects.catalogfile.values import read_kept, show_kept
from allotment.errors import InvalidInput
from allotment.model.number import show_percent
from allotment.model.segment import IdList, Sample, Segment

# Reads the bytes of a list that lies beside the catalog, by the name that the catalog gives it.
Lists = Callable[[str], bytes]

_FIELDS: Final = ("name", "description", "unit", "include", "exclude", "rules", "sample", "kept")
_SAMPLE: Final = ("share", "layer", "tags", "exclusive_to", "ranges")

# Lists longer than this are shown as a block of text, an id a line.
_LISTED_MAX: Final = 8


def read_segment(key: str, place: Cursor, lists: Lists | None) -> Segment:
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
        sample=_read_sample(place.at("sample")),
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
        "sample": _show_sample(segment.sample) if segment.sample else None,
        **show_kept(segment.kept),
    }
    return {field: value for field, value in shown.items() if value}


def _read_sample(place: Cursor) -> Sample | None:
    """A share of the segment's own draw, or of a layer's; its ranges may be left to be laid."""
    if not place.given:
        return None
    place.fields(_SAMPLE)
    return Sample(
        share_ppm=read_share(place.at("share")),
        layer=place.at("layer").key() if place.at("layer").given else None,
        tags=_read_tags(place.at("tags")),
        exclusive_to=_read_tags(place.at("exclusive_to")),
        ranges=read_ranges(place.at("ranges")),
    )


def _read_tags(place: Cursor) -> tuple[str, ...]:
    return tuple(sorted(item.name() for item in place.items()))


def _show_sample(sample: Sample) -> Tree:
    """The sample with its ranges, unless it has a draw of its own, whose lowest buckets are its."""
    shown: dict[str, Tree] = {"share": show_percent(sample.share_ppm)}
    if sample.layer is not None:
        shown["layer"] = sample.layer
        shown["tags"] = list(sample.tags)
        shown["exclusive_to"] = list(sample.exclusive_to)
        shown["ranges"] = show_ranges(sample.ranges)
    return {field: value for field, value in shown.items() if value}


def _read_ids(place: Cursor, lists: Lists | None) -> IdList:
    """A list of ids, a block of text with an id a line, or the name of a file that holds one."""
    if isinstance(place.value, str):
        return _of_lines(place.value, place)
    if isinstance(place.value, dict):
        file = place.fields(("file",)).at("file")
        return _of_lines(_read_file(file, lists), file)
    return IdList.of((item.text() for item in place.items()), place.path)


def _read_file(place: Cursor, lists: Lists | None) -> str:
    name = place.text()
    if lists is None:
        raise place.refusal("a list in a file needs a catalog in a file; give the ids here")
    try:
        return lists(name).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise place.refusal("the list is not UTF-8; save it as UTF-8") from None
    except InvalidInput as error:
        raise error if error.path else place.refusal(error.message) from None


def _of_lines(text: str, place: Cursor) -> IdList:
    """An id a line, taken as it is; a line ends in LF or CRLF, and the last need not end."""
    ids = text.replace("\r\n", "\n").split("\n")
    for line, found in enumerate(ids, 1):
        if "\r" in found:
            raise place.refusal(
                f"line {line} holds a carriage return: a line ends in LF or CRLF; an id that holds "
                "one is written in a list, in double quotes"
            )
    if ids[-1] == "":
        ids.pop()
    if "" in ids:
        raise place.refusal(f"line {ids.index('') + 1} is empty; an id has at least a character")
    return IdList.of(ids, place.path)


def _show_ids(ids: IdList) -> Tree:
    if len(ids) > _LISTED_MAX:
        text = ids.text.decode()
        if all(line.isprintable() and line[0] != " " for line in text.split("\n")):
            return TextBlock(text + "\n")
    return list(ids)
