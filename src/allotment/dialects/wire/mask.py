"""Field masks: which parts of a document a change is about, and the document it leads to.

A mask is a set of paths. What stands at one in the request comes to stand there in the document,
and what the request lacks there is gone from it; all else stays. Pure, and no vendor's own.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from enum import Enum
from typing import Final, TypeAlias

from allotment.dialects.wire.source import Tree
from allotment.errors import InvalidInput

Path: TypeAlias = tuple[str, ...]

# The path that leads nowhere is that of the whole document.
WHOLE: Final[Path] = ()

# Where a mask stands in the paths of errors.
MASK: Final = "query.updateMask"

_DEPTH_MAX: Final = 32
_UNDERSCORED: Final = re.compile(r"_([a-z0-9])")


class Absent(Enum):
    """What stands where a document has nothing."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT


def camel(name: str) -> str:
    """The lowerCamelCase of a field's name, which may be spelled in snake_case."""
    return _UNDERSCORED.sub(lambda match: match[1].upper(), name)


class Part(Enum):
    """What a field may hold that is no message with fields of its own.

    LEAF is replaced whole: text, a number, a list. OPEN may be anything; of an object in it each
    entry may be named.
    """

    LEAF = "leaf"
    OPEN = "open"


# The fields of a message, and what each holds.
Shape: TypeAlias = "Mapping[str, Shape | Part]"


def read_mask(text: str | None, shape: Shape) -> tuple[Path, ...] | None:
    """The paths of a mask in a query: separated by commas, in lowerCamelCase or snake_case.

    `*` is the whole document. None where there is no mask, or an empty one, which says as little.
    Raises InvalidInput for a path that leads to no field.
    """
    if text is None or not text.strip():
        return None
    texts = [each.strip() for each in text.split(",")]
    if texts == ["*"]:
        return (WHOLE,)
    return tuple(dict.fromkeys(_path(each, n, shape) for n, each in enumerate(texts)))


def _path(text: str, position: int, shape: Shape) -> Path:
    here: Shape | Part = shape
    found: list[str] = []
    for name in text.split("."):
        if isinstance(here, Part):
            wrong = here is Part.LEAF or not name or len(found) >= _DEPTH_MAX
            known = name
        else:
            known = name if name in here else camel(name)
            wrong = known not in here
            here = here.get(known, Part.LEAF)
        if wrong:
            raise InvalidInput(f"path {position + 1} of this mask leads to no field to set", MASK)
        found.append(known)
    return tuple(found)


def implied(body: Mapping[str, Tree], shape: Shape) -> tuple[Path, ...]:
    """The paths that a body without a mask is about: all that it gives, be it false or null."""
    return tuple(_given(body, shape, WHOLE))


def _given(body: Mapping[str, Tree], shape: Shape | Part, at: Path) -> Iterable[Path]:
    for name, value in body.items():
        below = shape if isinstance(shape, Part) else shape.get(name, Part.LEAF)
        if isinstance(value, dict) and below is not Part.LEAF:
            yield from _given(value, below, (*at, name))
        else:
            yield (*at, name)


def masked(old: Tree, new: Tree, mask: Collection[Path]) -> Tree:
    """The old document with what the new one has at the paths of the mask; null is nothing."""
    found = _masked(old, new, mask)
    return {} if isinstance(found, Absent) else found


def _masked(old: Tree | Absent, new: Tree | Absent, mask: Collection[Path]) -> Tree | Absent:
    if WHOLE in mask:
        return ABSENT if new is None else new
    if not mask:
        return old
    was = old if isinstance(old, dict) else {}
    now = new if isinstance(new, dict) else {}
    found = dict(was)
    for name in dict.fromkeys(path[0] for path in mask):
        below = [path[1:] for path in mask if path[0] == name]
        value = _masked(was.get(name, ABSENT), now.get(name, ABSENT), below)
        if isinstance(value, Absent):
            found.pop(name, None)
        else:
            found[name] = value
    return old if not found and not isinstance(old, dict) else found
