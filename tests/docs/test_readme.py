"""The pages say what is true: their code runs, and the README keeps its promises of form."""

import re
from pathlib import Path

import pytest

import allotment
from docs.blocks import HOUSE, Block, blocks
from docs.links import broken
from serving import serving

# What a start page says is run step by step, in test_start.
OURS = [block for block in blocks() if block.is_ours and "start-" not in block.page]
FOLLOWING = [block for block in OURS if "allotment.connect" in block.text]

ADDRESS = re.compile(r"https?://(localhost:8080|allotment\.example\.com)")


def named(block: Block) -> str:
    return f"{block.page}#{block.number}"


@pytest.mark.parametrize("block", [each for each in OURS if each not in FOLLOWING], ids=named)
def test_the_code_of_the_pages_runs(block: Block, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(HOUSE)
    block.run()


def test_the_code_that_follows_a_server_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with serving(tmp_path, catalog=HOUSE / "examples/serve/catalog.yaml") as server:
        for block in FOLLOWING:
            text = ADDRESS.sub(server.url, block.text).replace("/var/cache/shop/", "")
            text = text.replace("allot_...", server.token("read"))
            exec(compile(text, block.page, "exec"), names := {"__name__": block.page})
            names["engine"].close()


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
    pages = [*HOUSE.glob("*.md"), *HOUSE.glob("docs/**/*.md")]
    assert {page.name: found for page in pages if (found := [*broken(page)])} == {}


def test_a_link_that_leads_nowhere_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# A `word`, and [more](page.md)\n[one](#a-word-and-more) [two](#other) [three](no.md)\n"
        "```sh\n# not a heading\n[four](no.md)\n```\n[five](page.md#not-a-heading)\n"
    )
    assert [each.partition(":")[0] for each in broken(page)] == [
        "#other",
        "no.md",
        "page.md#not-a-heading",
    ]


def test_the_glossary_has_the_checks_that_explain_shows_in_their_order() -> None:
    explained = allotment.load(HOUSE / "examples/geo/catalog.yaml").explain("delivery-banner", "1")
    text = (HOUSE / "docs/glossary.md").read_text()
    rows = text.partition("## The checks that")[2].partition("## ")[0]
    named = re.findall(r"^\| `(\w+)( KEY)?`", rows, flags=re.MULTILINE)
    assert [name for name, more in named if not more] == [each.name for each in explained.checks]
