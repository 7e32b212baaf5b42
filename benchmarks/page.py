"""The page of results: a section for each machine and command, which only that command writes."""

from __future__ import annotations

import datetime
import re
from pathlib import Path
from typing import Final

RESULTS: Final = Path(__file__).parent / "RESULTS.md"


def write(heading: str, command: str, body: str) -> None:
    """The section under the heading says the command, the day, and then the body."""
    day = datetime.datetime.now(tz=datetime.UTC).date()
    said = f"`{command}` on {day}; {body}"
    RESULTS.write_text(with_section(RESULTS.read_text(), heading, said))


def figure(ratio: float) -> str:
    """Three digits, with thousands apart, and no exponent."""
    return f"{ratio:,.0f}" if ratio >= 100 else f"{ratio:.3g}"


def with_section(text: str, heading: str, body: str) -> str:
    """The page with this section under the heading, in the place of one that is there."""
    section = f"## {heading}\n\n{body.strip()}\n"
    found = re.search(rf"^## {re.escape(heading)}\n.*?(?=^## |\Z)", text, re.DOTALL | re.MULTILINE)
    if found is None:
        return f"{text.rstrip()}\n\n{section}"
    after = text[found.end() :]
    return text[: found.start()] + section + (f"\n{after}" if after else "")
