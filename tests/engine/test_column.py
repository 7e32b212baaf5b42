"""Columns and tables in the hands of other libraries, and as people look at them."""

from __future__ import annotations

import re
import sys
from collections import Counter
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import allotment
import nouns
from allotment.change.commands import SetEnrolment
from allotment.errors import InvalidInput

UNITS = [f"user-{number}" for number in range(100)]
HALF = nouns.changed(
    nouns.catalog(nouns.experiment("checkout"), nouns.experiment("half", layer=None)),
    SetEnrolment("half", 500_000),
)
ENGINE = allotment.load(HALF)
COLUMN = ENGINE.assign_many("half", UNITS)
TABLE = ENGINE.assign_table(UNITS)
EXPECTED = [ENGINE.assign("half", unit).treatment for unit in UNITS]


def test_a_column_is_a_sequence_of_treatments() -> None:
    assert None in EXPECTED
    assert list(COLUMN) == COLUMN.names() == EXPECTED
    assert [COLUMN[row] for row in range(-100, 100)] == EXPECTED * 2
    assert list(COLUMN[10:20]) == EXPECTED[10:20]
    assert len(COLUMN[::3]) == 34
    with pytest.raises(IndexError):
        COLUMN[100]


def test_transitions_count_the_units_that_go_from_one_treatment_to_another() -> None:
    other = ENGINE.assign_many("checkout", UNITS)
    pairs = list(zip(COLUMN, other, strict=True))
    assert COLUMN.transitions(other) == dict(Counter(pairs))
    assert len(set(pairs)) > 3
    assert COLUMN.transitions(COLUMN) == {(name, name): n for name, n in Counter(COLUMN).items()}
    assert COLUMN[:0].transitions(other[:0]) == {}
    with pytest.raises(InvalidInput, match="99 units stand beside 100"):
        COLUMN.transitions(other[1:])


def test_a_data_frame_takes_a_column_as_values() -> None:
    pandas = pd.DataFrame({"user": UNITS}).assign(t=COLUMN)
    assert pandas["t"].astype(object).where(pandas["t"].notna(), None).tolist() == EXPECTED
    assert pd.Series(COLUMN, index=UNITS).notna().sum() == 100 - EXPECTED.count(None)
    assert pl.DataFrame({"user": UNITS, "t": COLUMN})["t"].to_list() == EXPECTED
    with_column = pl.DataFrame({"user": UNITS}).with_columns(t=COLUMN.to_polars())
    assert with_column["t"].to_list() == EXPECTED
    assert np.asarray(COLUMN).tolist() == EXPECTED
    assert np.array(COLUMN[:3], dtype=object).tolist() == EXPECTED[:3]
    with pytest.raises(ValueError, match="is a copy"):
        np.array(COLUMN, copy=False)


def test_a_column_becomes_what_a_library_calls_its_own() -> None:
    assert COLUMN.to_numpy().tolist() == EXPECTED
    assert COLUMN.to_arrow().to_pylist() == EXPECTED
    assert isinstance(COLUMN.to_arrow(), pa.DictionaryArray)
    series = COLUMN.to_polars("t")
    assert (series.name, series.dtype, series.to_list()) == ("t", pl.Categorical(), EXPECTED)
    categories = COLUMN.to_pandas()
    assert isinstance(categories.dtype, pd.CategoricalDtype)
    assert categories.astype(object).where(categories.notna(), None).tolist() == EXPECTED


def test_a_table_becomes_a_data_frame() -> None:
    expected = {key: column.names() for key, column in TABLE.items()}
    assert list(expected) == ["checkout", "half"]
    assert TABLE.to_arrow().to_pydict() == expected
    assert TABLE.to_polars().to_dict(as_series=False) == expected
    assert TABLE.to_numpy().T.tolist() == list(expected.values())
    frame = TABLE.to_pandas().astype(object)
    assert frame.where(frame.notna(), None).to_dict("list") == expected
    with pytest.raises(allotment.InvalidInput, match="without experiments"):
        ENGINE.assign_table(UNITS, []).to_numpy()


@pytest.mark.parametrize("library", ["pyarrow", "polars", "pandas"])
def test_a_library_that_is_not_installed_is_named(
    library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    convert = {"pyarrow": "to_arrow"}.get(library, f"to_{library}")
    with pytest.raises(allotment.MissingExtra, match=f"pip install {library}"):
        getattr(COLUMN, convert)()


class Text(HTMLParser):
    """The text of each cell; a tag that is not closed fails."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[str] = []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def words(text: str) -> list[str]:
    return re.sub(r"\s+", " ", text).split()


def test_a_notebook_shows_what_the_terminal_does_with_bars() -> None:
    for shown in (COLUMN, TABLE):
        html = shown._repr_html_()
        assert sorted(words(" ".join(Text(html).texts))) == sorted(words(str(shown)))
        assert "width:12.00em" in html, "the longest bar"
    assert "100" in str(COLUMN).splitlines()[-1]
    assert [line.split()[0] for line in str(TABLE).split("\n\n")] == ["checkout", "half"]


def test_a_notebook_shows_an_explanation_with_its_buckets() -> None:
    explanation = ENGINE.explain("half", "user-7")
    html = explanation._repr_html_()
    texts = Text(html).texts
    assert str(explanation).splitlines()[0] in texts
    for check in explanation.checks:
        assert (check.outcome in texts) or not check.applies
    (bucket,) = [each.bucket for each in explanation.checks if each.name == "enrolment"]
    assert bucket is not None
    assert f"width:{12 * bucket / 1_000_000:.2f}em" in html


def test_names_are_text_in_a_notebook_and_never_tags() -> None:
    hostile = allotment.Column(COLUMN.codes, COLUMN.reasons, ("<script>", "&"), 1)
    assert "<script>" not in hostile._repr_html_()
    assert "&lt;script&gt;" in hostile._repr_html_()
    assert "<b>" not in allotment.Table({"<b>": COLUMN})._repr_html_()
