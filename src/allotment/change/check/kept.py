"""What may be kept with a noun for a vendor's API."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from typing import Final, NoReturn

from allotment.errors import InvalidChange, InvalidInput
from allotment.model.limits import KEPT_CHARACTERS_MAX, KEPT_MAX, KEPT_PATH_BYTES_MAX

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
