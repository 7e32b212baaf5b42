"""Instants are spelled and read exactly, against the standard library's calendar."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allotment.errors import InvalidInput
from allotment.model.instant import read_instant, show_instant
from allotment.model.limits import INSTANT_END

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def oracle(instant: int) -> str:
    text = (EPOCH + timedelta(milliseconds=instant)).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


@given(st.integers(0, INSTANT_END - 1))
def test_any_instant_is_spelled_as_the_calendar_has_it_and_read_back(instant: int) -> None:
    assert show_instant(instant) == oracle(instant)
    assert read_instant(show_instant(instant), "$") == instant


@pytest.mark.parametrize("year", [1970, 1972, 1999, 2000, 2100, 2400, 9999])
def test_every_day_of_a_year_is_the_calendar_s(year: int) -> None:
    first = (datetime(year, 1, 1, tzinfo=UTC) - EPOCH).days
    for day in range(first, min(first + 366, INSTANT_END // 86_400_000)):
        assert show_instant(day * 86_400_000) == oracle(day * 86_400_000)


@given(
    st.datetimes(datetime(1970, 1, 2), datetime(9999, 12, 30)),
    st.integers(-24 * 60 + 1, 24 * 60 - 1),
)
def test_an_offset_is_taken_off(local: datetime, ahead: int) -> None:
    at = local.replace(microsecond=0, tzinfo=timezone(timedelta(minutes=ahead)))
    assert read_instant(at.isoformat(), "$") == (at - EPOCH) // timedelta(milliseconds=1)


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:01.5Z", 1500),
        ("1970-01-01T00:00:00.07Z", 70),
    ],
)
def test_a_fraction_may_have_fewer_digits(text: str, milliseconds: int) -> None:
    assert read_instant(text, "$") == milliseconds


@pytest.mark.parametrize(
    "text",
    [
        "2026-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z", "2026-04-31T00:00:00Z",
        "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:60Z",
        "2026-01-01T00:00:00", "2026-01-01", "2026-01-01 00:00:00Z", "2026-01-01T00:00:00z",
        "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00.1234Z", "2026-01-01T00:00:00+24:00",
        "2026-01-01T00:00:00+00:60", "2026-01-01T00:00:00Z\n", "\uff12026-01-01T00:00:00Z",
        "1969-12-31T23:59:59.999Z", "1970-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01",
        "0000-00-00T00:00:00Z", "", 0, None, True,
    ],
)  # fmt: skip
def test_anything_else_is_refused_with_its_place(text: object) -> None:
    with pytest.raises(InvalidInput, match="a time is text such as") as refusal:
        read_instant(text, "$.experiments.e.started_at")
    assert refusal.value.path == "$.experiments.e.started_at"
