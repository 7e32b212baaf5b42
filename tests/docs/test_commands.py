"""Every command that a page, the Dockerfile or an example names is one, with the options it has."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from allotment.cli.root import app
from docs.blocks import HOUSE
from docs.reference import commands_of

COMMANDS = commands_of(typer.main.get_command(app), "allotment")
CODE = re.compile(r"^```(?!python).*?^```|^(?: {4}|#).*?$|`[^`\n]+`", re.DOTALL | re.MULTILINE)
COMMAND = re.compile(r"\ballotment ((?:token |space |config |import )?[a-z]+)([^`\n|;&)]*)")
FILES = [
    *(HOUSE / name for name in ("README.md", "Dockerfile")),
    *HOUSE.glob("docs/*.md"),
    *HOUSE.glob("examples/deploy/*"),
]


def wrong(text: str) -> Iterator[str]:
    """What a text says of the command line that is not so."""
    for code in CODE.findall(text):
        for name, rest in COMMAND.findall(code):
            command = COMMANDS.get(f"allotment {name}")
            if command is None:
                if any(each.startswith(f"allotment {name} ") for each in COMMANDS):
                    continue  # a group of commands
                yield f"allotment {name}"
                continue
            known = {option for each in command.params for option in each.opts} | {"--help"}
            yield from (
                f"{name} {o}" for o in re.findall(r"(?<!\S)--[a-z-]+", rest) if o not in known
            )


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_command_that_is_named_is_one(file: Path) -> None:
    assert [*wrong(file.read_text())] == []


def test_an_option_that_a_command_lacks_is_found() -> None:
    text = "# allotment token create --scope admin --project x\nSee `allotment aply`; allotment is."
    assert [*wrong(text)] == ["token create --project", "allotment aply"]
