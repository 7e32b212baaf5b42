"""The pages say what is true: their code runs, and the README keeps its promises of form."""

import re

import pytest

import allotment
from docs.blocks import HOUSE, Block, blocks

# What a start page says is run step by step, in test_start.
OURS = [block for block in blocks() if block.is_ours and "start-" not in block.page]


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


def test_the_glossary_has_the_checks_that_explain_shows_in_their_order() -> None:
    explained = allotment.load(HOUSE / "examples/geo/catalog.yaml").explain("delivery-banner", "1")
    text = (HOUSE / "docs/glossary.md").read_text()
    rows = text.partition("## The checks that")[2].partition("## ")[0]
    named = re.findall(r"^\| `(\w+)( KEY)?`", rows, flags=re.MULTILINE)
    assert [name for name, more in named if not more] == [each.name for each in explained.checks]
