"""The links of the pages: where each leads, and which anchors a page has."""

import re
from collections.abc import Iterator
from pathlib import Path

_CODE = re.compile(r"^(```|~~~).*?^\1", re.DOTALL | re.MULTILINE)
_HEADING = re.compile(r"^#+ (.+?)\s*$", re.MULTILINE)
_LINK = re.compile(r"(?<!\\)\]\(([^)\s]+)\)")


def anchor(heading: str) -> str:
    """The anchor of a heading, as GitHub and mkdocs make it."""
    words = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower()
    return re.sub(r"\s", "-", re.sub(r"[^\w\s-]", "", words).strip())


def anchors(text: str) -> set[str]:
    """Every anchor of a page."""
    return {anchor(each) for each in _HEADING.findall(_CODE.sub("", text))}


def broken(page: Path) -> Iterator[str]:
    """The links of a page that lead to no file, or to no heading, of the project."""
    for link in _LINK.findall(_CODE.sub("", page.read_text())):
        place, _, heading = link.partition("#")
        if ":" in place:
            continue
        target = page.parent / place if place else page
        if not target.exists():
            yield f"{link}: there is no such file"
        elif heading and heading not in anchors(target.read_text()):
            yield f"{link}: there is no such heading"
