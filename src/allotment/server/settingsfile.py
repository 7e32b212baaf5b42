"""The file of settings: TOML, one `name = value` a line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from allotment.errors import InvalidInput

NAMED_BY: Final = "ALLOTMENT_CONFIG"
USUAL: Final = Path("allotment.toml")


@dataclass(frozen=True, slots=True)
class SettingsFile:
    """What a file sets; `path` is None, and nothing is set, where there is none."""

    path: Path | None
    text: str
    values: Mapping[str, Any]

    def place(self, name: str) -> str:
        """Where the file sets a name: `allotment.toml:3`, or the file alone if no line says it."""
        found = re.search(
            rf"""^[ \t]*["']?{re.escape(name)}["']?[ \t]*=""", self.text, re.MULTILINE
        )
        return (
            f"{self.path}:{self.text.count(chr(10), 0, found.end()) + 1}"
            if found
            else f"{self.path}"
        )


def settings_file(environment: Mapping[str, str]) -> SettingsFile:
    """The file that ALLOTMENT_CONFIG names, else `allotment.toml` here, else none.

    Raises InvalidInput for one that is named and cannot be read, and for one that is not TOML.
    """
    named = environment.get(NAMED_BY)
    path = Path(named) if named else USUAL
    if not named and not path.exists():
        return SettingsFile(None, "", {})
    try:
        text = path.read_text(encoding="utf-8")
        return SettingsFile(path, text, tomllib.loads(text))
    except OSError as error:
        raise InvalidInput(
            f"{path}, the file of settings, cannot be read: {error.strerror}"
        ) from None
    except ValueError as error:  # not UTF-8, or not TOML
        raise InvalidInput(f"{path}, the file of settings, is not TOML: {error}") from None
