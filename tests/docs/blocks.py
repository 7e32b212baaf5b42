"""The Python of the pages, block by block: the tests run it, and `make lint` checks its types.

`python -m docs.blocks FOLDER` writes each block of ours into a file of its own, and checks those of
vendors' clients, each with the client that the tests have.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from clients import python_with

HOUSE = Path(__file__).parents[2]
_BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
_IMPORT = re.compile(r"^(?:from|import) (\w+)", re.MULTILINE)

# What a block may import beside us and the standard library: `make lint` has types for it.
_OURS = {
    *("allotment", "duckdb", "httpx", "openfeature", "pandas", "polars"),
    *sys.stdlib_module_names,
}

# The packages of a vendor's client, by what a block imports. That of Confidence has no types, and
# blocks of other engines are run by tests of their own.
_CLIENTS = {
    "auth0": ("auth0-python==6.8.0", "httpx"),
    "launchdarkly_api": ("launchdarkly-api==25.0.1",),
    "confidence": None,
    "dask": None,
    "pyarrow": None,
    "pyspark": None,
    "ray": None,
}


@dataclass(frozen=True)
class Block:
    """A block of code: its page, which one it is there, its text."""

    page: str
    number: int
    text: str

    @property
    def imports(self) -> set[str]:
        """What it imports, by the first word."""
        return set(_IMPORT.findall(self.text))

    @property
    def is_ours(self) -> bool:
        """Whether it needs no vendor's client; those have tests of their own."""
        return self.imports <= _OURS

    @property
    def client(self) -> tuple[str, ...] | None:
        """The packages of the vendor's client that it uses; None for one without types."""
        [name] = self.imports - _OURS
        return _CLIENTS[name]

    def run(self) -> dict[str, object]:
        """Run it in the working folder; gives what it made."""
        made: dict[str, object] = {"__name__": self.page}
        exec(compile(self.text, self.page, "exec"), made)
        return made

    def write(self, folder: Path) -> Path:
        """Write it into a file of its own."""
        name = re.sub(r"\W", "_", f"{self.page[:-3]}_{self.number}")
        file = folder / f"{name}.py"
        file.write_text(self.text)
        return file


def block_with(page: str, library: str) -> Block:
    """The one block of a page that imports a library."""
    [found] = [each for each in blocks() if each.page == page and library in each.imports]
    return found


def blocks() -> Iterator[Block]:
    """Every block of the README, ARCHITECTURE.md and docs."""
    for page in [*sorted(HOUSE.glob("*.md")), *sorted(HOUSE.glob("docs/**/*.md"))]:
        name = page.relative_to(HOUSE).as_posix()
        for number, text in enumerate(_BLOCK.findall(page.read_text())):
            yield Block(name, number, text)


def check_with(client: tuple[str, ...], file: Path) -> None:
    """Check the types of a file as one who has installed the client would."""
    there = python_with(*client)
    for program in (
        ("mypy", "--strict", "--python-executable", there),
        ("pyright", "--pythonpath", there),
    ):
        subprocess.run([Path(sys.executable).with_name(program[0]), *program[1:], file], check=True)


def main(folder: Path) -> None:
    """Write all blocks; check those of clients."""
    clients = folder.with_name(f"{folder.name}-of-clients")
    for each in (folder, clients):
        each.mkdir(parents=True, exist_ok=True)
        for old in each.glob("*.py"):
            old.unlink()
    for block in blocks():
        file = block.write(folder if block.is_ours else clients)
        if not block.is_ours and block.client is not None:
            check_with(block.client, file)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
