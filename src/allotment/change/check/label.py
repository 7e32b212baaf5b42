"""The text that every noun has: labels, salts, and the fields kept for a vendor's API."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from typing import Final, NoReturn, Protocol

from allotment.errors import InvalidChange, InvalidInput
from allotment.model.limits import (
    BUCKETS,
    KEPT_CHARACTERS_MAX,
    KEPT_MAX,
    KEPT_PATH_BYTES_MAX,
    NAME_CHARACTERS_MAX,
)
from allotment.model.text import check_description, check_key, check_name, check_text

_STEP: Final = "[A-Za-z0-9][A-Za-z0-9._-]*"
_PATH: Final = re.compile(rf"{_STEP}(/{_STEP})+\Z")


def check_kept(kept: tuple[tuple[str, str], ...], path: str) -> None:
    """Check the paths, which ascend, and that the values are JSON text."""
    if len(kept) > KEPT_MAX:
        raise InvalidChange(f"a noun keeps at most {KEPT_MAX:,} values, not {len(kept):,}", path)
    for where, text in kept:
        if not isinstance(where, str) or len(where) > KEPT_PATH_BYTES_MAX or not _PATH.match(where):
            raise InvalidInput(
                "a path is the dialect and at least one more step, joined by '/', each of letters, "
                f"digits, '.', '_' or '-', in at most {KEPT_PATH_BYTES_MAX:,} characters",
                path,
            )
        here = f'{path}["{where}"]'
        check_json(text, here)
        if len(text) > KEPT_CHARACTERS_MAX:
            raise InvalidInput(
                f"a kept value has at most {KEPT_CHARACTERS_MAX:,} characters, not {len(text):,}",
                here,
            )
    for (one, _), (other, _) in pairwise(kept):
        if one >= other:
            raise InvalidChange("kept values stand in the order of their paths, each once", path)


def check_json(text: str, path: str) -> None:
    """Raise InvalidInput unless the text is JSON."""

    def refuse(constant: str) -> NoReturn:
        raise ValueError(constant)

    try:
        json.loads(text, parse_constant=refuse)
        text.encode()
    except (TypeError, ValueError, AttributeError, RecursionError):
        raise InvalidInput("a value is JSON text (RFC 8259)", path) from None


class _Labelled(Protocol):
    @property
    def key(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def kept(self) -> tuple[tuple[str, str], ...]: ...


def check_labels(noun: _Labelled, path: str) -> None:
    """Check the key, the name, the description, and what is kept."""
    check_key(noun.key, path)
    check_name(noun.name, f"{path}.name")
    check_description(noun.description, f"{path}.description")
    check_kept(noun.kept, f"{path}.kept")


def check_salt(salt: str, path: str) -> None:
    """A salt is text of 1 to 1,024 characters."""
    if not isinstance(salt, str) or not 1 <= len(salt) <= NAME_CHARACTERS_MAX:
        raise InvalidInput(f"a salt is text of 1 to {NAME_CHARACTERS_MAX:,} characters", path)
    check_text(salt, NAME_CHARACTERS_MAX, "salt", path)


def check_share(share: int, path: str) -> None:
    """A share is a whole number of the 1,000,000 buckets."""
    if type(share) is not int or not 0 <= share <= BUCKETS:
        raise InvalidInput(f"a share is 0 to {BUCKETS:,} parts per million", path)
