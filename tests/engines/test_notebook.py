"""The notebook runs from its first cell to its last, and draws what it says."""

from __future__ import annotations

import base64
import os
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from docs.blocks import HOUSE

NOTEBOOK = HOUSE / "examples/notebook/experiment.ipynb"


@pytest.fixture(scope="module")
def shown() -> list[Any]:
    """All that the cells show, in their order."""
    book = nbformat.read(NOTEBOOK, as_version=4)
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    client = NotebookClient(book, timeout=120, kernel_name="python3")
    client.execute(env={**os.environ, "MPLBACKEND": "module://matplotlib_inline.backend_inline"})
    return [each for cell in book.cells if cell.cell_type == "code" for each in cell.outputs]


def test_it_says_what_the_tests_of_the_ratio_say_and_who_moved(shown: list[Any]) -> None:
    said = "".join(each.text for each in shown if each.output_type == "stream")
    assert "as expected\n" in said
    assert "off - farthest from its share: higher\n" in said
    assert "10% of the treatment draw moves" in said
    assert "9,235 of 92,393 users moved" in said
    assert not [each for each in shown if each.get("name") == "stderr"], said


def test_it_draws_four_pictures(shown: list[Any]) -> None:
    pictures = [
        base64.b64decode(each.data["image/png"])
        for each in shown
        if "image/png" in each.get("data", {})
    ]
    assert len(pictures) == 4
    assert all(each.startswith(b"\x89PNG") and len(each) > 10_000 for each in pictures)


def test_it_is_kept_without_what_a_run_shows() -> None:
    """A run's pictures would change with every run."""
    book = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(book)
    assert [cell for cell in book.cells if cell.get("outputs") or cell.get("execution_count")] == []
