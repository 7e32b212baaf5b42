"""The pages say what is true: their code runs, and the README keeps its promises of form."""

import re

import pytest

from docs.blocks import HOUSE, Block, blocks

OURS = [block for block in blocks() if block.is_ours]


@pytest.mark.parametrize("block", OURS, ids=lambda block: f"{block.page}#{block.number}")
def test_the_code_of_the_pages_runs(block: Block, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(HOUSE)
    exec(compile(block.text, block.page, "exec"), {"__name__": block.page})


def test_the_readme_shows_code_by_line_twenty() -> None:
    lines = (HOUSE / "README.md").read_text().splitlines()
    assert "```python" in lines[:20]


def test_the_readme_begins_with_two_commands_that_exist() -> None:
    text = (HOUSE / "README.md").read_text()
    targets = re.findall(r"^    make (\w+)", text, flags=re.MULTILINE)
    assert targets[:2] == ["run", "test"]
    makefile = (HOUSE / "Makefile").read_text()
    for target in targets:
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target


def test_every_link_of_the_pages_leads_somewhere() -> None:
    for page in [*HOUSE.glob("*.md"), *HOUSE.glob("docs/**/*.md")]:
        for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / link).exists(), f"{page.name}: {link}"
