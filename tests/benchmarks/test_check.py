"""Whether a run fell behind the record: what is compared, how far, and what is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import check, record
from benchmarks.check import again, compared
from benchmarks.harness import Figure
from benchmarks.machine import family
from benchmarks.record import Run, keep, middle, records


def figure(name: str, median: float, unit: str = "x ref", *, at_least: bool = False) -> Figure:
    return Figure(name, unit, 1.0, median - 0.1, median, median + 0.1, at_least)


def named(*figures: Figure) -> dict[str, Figure]:
    return {each.name: each for each in figures}


@pytest.mark.parametrize(
    ("then", "now", "fails"),
    [
        (figure("a", 1.0), figure("a", 1.14), False),
        (figure("a", 1.0), figure("a", 1.16), True),
        (figure("a", 1.0), figure("a", 0.5), False),
        (figure("a", 2.0, "x faster", at_least=True), figure("a", 1.75, at_least=True), False),
        (figure("a", 2.0, "x faster", at_least=True), figure("a", 1.70, at_least=True), True),
        (figure("a", 2.0, "x faster", at_least=True), figure("a", 3.00, at_least=True), False),
    ],
)
def test_a_ratio_may_be_15_percent_behind(then: Figure, now: Figure, fails: bool) -> None:
    (row,) = compared(named(now), named(then))
    assert row.fails is fails
    assert str(row).startswith("NO" if fails else "yes")


def test_seconds_and_bytes_are_not_compared() -> None:
    then = named(figure("a", 1.0), figure("b", 1.0, "ms"), figure("c", 1.0, "bytes"))
    assert [row.name for row in compared(then, then)] == ["a"]


def test_a_recorded_row_that_was_not_measured_fails_and_says_so() -> None:
    (row,) = compared({}, named(figure("a", 1.25)))
    assert row.fails
    assert str(row) == "NO   a: not measured, recorded 1.25 x ref"


def test_a_row_says_both_figures_and_their_distance() -> None:
    (row,) = compared(named(figure("a", 1.5)), named(figure("a", 1.2)))
    assert str(row) == "NO   a: 1.5, recorded 1.2 x ref, 25% behind"


def test_a_row_that_fell_behind_is_measured_again_and_the_middle_counts() -> None:
    then = named(figure("slow once", 1.0), figure("slow", 1.0), figure("fine", 1.0))
    now = named(figure("slow once", 2.0), figure("slow", 2.0), figure("fine", 1.0))
    more = iter([1.0, 1.1, 1.05, 3.0])

    def measure() -> dict[str, Figure]:
        once = figure("slow once", next(more))
        return named(once, figure("slow", 2.0), figure("fine", 9.0))

    found = again(now, then, measure)
    assert [found[name].median for name in then] == [1.1, 2.0, 1.0]
    assert [row.name for row in compared(found, then) if row.fails] == ["slow"]


def test_nothing_is_measured_again_where_nothing_fell_behind() -> None:
    now = named(figure("a", 1.1))
    assert again(now, named(figure("a", 1.0), figure("gone", 1.0)), dict) == now


def test_the_middle_is_a_figure_of_one_run() -> None:
    runs = [named(figure("a", median), figure("b", 1.0)) for median in (3.0, 1.0, 2.0)]
    runs[1].pop("b")
    assert middle(runs) == named(figure("a", 2.0))


def test_the_record_of_a_family_leaves_the_others(tmp_path: Path) -> None:
    path = tmp_path / "recorded.json"
    first = Run("one", "2026-11-30", named(figure("a", 1.0)))
    second = Run("two", "2026-12-01", named(figure("a", 2.0, "x faster", at_least=True)))
    keep("AMD EPYC", first, path)
    keep("Intel Xeon", first, path)
    keep("Intel Xeon", second, path)
    assert records(path) == {"AMD EPYC": first, "Intel Xeon": second}


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("AMD EPYC", "AMD EPYC"),
        ("AMD EPYC 7B13 64-Core Processor", "AMD EPYC"),
        ("Intel(R) Xeon(R) Platinum 8481C CPU @ 2.70GHz", "Intel Xeon"),
        ("INTEL(R) XEON(R) PLATINUM 8581C CPU @ 2.30GHz", "INTEL XEON"),
        ("aarch64", "aarch64"),
    ],
)
def test_a_family_is_a_maker_and_a_line(model: str, said: str) -> None:
    assert family(model) == said


def test_the_command_says_what_it_compares_and_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(record, "LAST", tmp_path / "bench.json")
    monkeypatch.setattr(record, "elsewhere", lambda: named(figure("a", 2.0)))
    monkeypatch.setattr(check, "model", lambda: "Abacus One 3")
    kept = {"Abacus One": Run("a machine", "2026-11-30", named(figure("a", 1.0)))}
    monkeypatch.setattr(record, "records", lambda: kept)
    assert check.main() == 2
    assert "`make bench` makes one" in capsys.readouterr().err
    last = Run("this one", "2026-12-01", named(figure("a", 2.0), figure("b", 1.0)))
    record.save(last, tmp_path / "bench.json")
    monkeypatch.setattr(record, "last", lambda: last)
    assert check.main() == 1
    assert capsys.readouterr().out.splitlines() == [
        "now: this one, 2026-12-01; recorded: a machine, 2026-11-30",
        "ratios may be 15% behind",
        "NO   a: 2, recorded 1 x ref, 100% behind",
        "new  b: not recorded",
    ]
    kept.clear()
    assert check.main() == 2
    assert "nothing is recorded of Abacus One" in capsys.readouterr().err
