"""The Python of the pages, block by block: the tests run it, and `make lint` checks its types.

`python tests/docs/blocks.py FOLDER` writes each block into a file of its own.
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HOUSE = Path(__file__).parents[2]
_BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
_IMPORT = re.compile(r"^(?:from|import) (\w+)", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A block of code: its page, which one it is there, its text."""

    page: str
    number: int
    text: str

    @property
    def is_ours(self) -> bool:
        """Whether it needs no package that we do not install; vendors' clients have tests."""
        return set(_IMPORT.findall(self.text)) <= {"allotment", *sys.stdlib_module_names}


def blocks() -> Iterator[Block]:
    """Every block of the README, ARCHITECTURE.md and docs."""
    for page in [*sorted(HOUSE.glob("*.md")), *sorted(HOUSE.glob("docs/**/*.md"))]:
        name = page.relative_to(HOUSE).as_posix()
        for number, text in enumerate(_BLOCK.findall(page.read_text())):
            yield Block(name, number, text)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.py"):
        old.unlink()
    for block in filter(lambda one: one.is_ours, blocks()):
        stem = re.sub(r"\W", "_", f"{block.page.removesuffix('.md')}_{block.number}")
        (folder / f"{stem}.py").write_text(block.text)
