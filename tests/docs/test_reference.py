"""The reference pages are those that the code makes now."""

import pytest

from docs.blocks import HOUSE
from docs.reference import pages, prose, table

PLACES = ("reference/python.md", "reference/http.md", "reference/cli.md", "decisions/README.md")


@pytest.fixture(scope="module")
def written() -> dict[str, str]:
    return pages()


@pytest.mark.parametrize("place", PLACES)
def test_a_reference_page_is_what_the_code_says(written: dict[str, str], place: str) -> None:
    page = HOUSE / "docs" / place
    assert page.exists(), f"there is no docs/{place}: run `make docs`, and commit the page"
    assert page.read_text() == written[place], f"docs/{place} is old: run `make docs`"


def test_the_reference_has_every_command_operation_and_name(written: dict[str, str]) -> None:
    assert tuple(written) == PLACES
    assert "## allotment token revoke\n" in written["reference/cli.md"]
    assert "POST /v1/assign/batch\n" in written["reference/http.md"]
    assert "#### Engine.assign_all\n" in written["reference/python.md"]
    assert "/api/v2" not in written["reference/http.md"]  # vendors' APIs have pages of their own


def test_a_bar_within_a_cell_is_no_border() -> None:
    assert table(("a", "b"), [("`str | None`", "x|y")]).splitlines()[2] == (
        "| <code>str &#124; None</code> | x&#124;y |"
    )


def test_a_field_that_its_docstring_does_not_tell_is_refused() -> None:
    with pytest.raises(AssertionError, match=r"size.*not told"):
        prose("A thing.\n\nname  what it is called", {"name": "str", "size": "int"})
