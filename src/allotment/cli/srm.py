"""`allotment srm FILE...`: whether the units that were seen are shared out as the weights say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from allotment.cli.console import DIFFERS, is_plain, notes, print_json, results
from allotment.cli.home import Home
from allotment.cli.options import AsJson, FromFile, SpaceOption, catalog_of, check_experiments
from allotment.cli.progress import progress
from allotment.cli.summary import bar
from allotment.errors import InvalidInput

if TYPE_CHECKING:
    from allotment.frames.observed import Observed
    from allotment.frames.observed_ratio import ObservedRatio, Unchecked

NAME = "srm"

Files = Annotated[
    list[Path],
    typer.Argument(
        metavar="EXPOSURES...", help="Parquet, NDJSON or CSV files, or a folder of them."
    ),
]
Experiments = Annotated[
    list[str] | None,
    typer.Option("--experiment", help="An experiment's key; repeat for more. Default: all."),
]
Since = Annotated[
    int | None,
    typer.Option(
        "--since", metavar="REVISION", help="Count only exposures of this revision or a later one."
    ),
]
ExitCode = Annotated[
    bool, typer.Option("--exit-code", help="Exit 2 where an allocation is off, else 0.")
]


def run(  # noqa: PLR0913  # each is an option
    files: Files,
    *,
    experiment: Experiments = None,
    since: Since = None,
    catalog: FromFile = None,
    home: Home,
    space: SpaceOption = None,
    exit_code: ExitCode = False,
    as_json: AsJson = False,
) -> None:
    """Check the sample ratio of exposures, or of a table of counts, and say which arm is off.

    Exposures have the columns experiment, treatment and unit; a unit counts once. They may have
    iteration, allocation, reason, revision and space, as those that the server writes. A table of
    counts has experiment, treatment and units, and may have iteration and allocation.

    Two tests: chi-square, for one look, and a sequential one, which holds however often one looks.
    After a change of weights, count the exposures since.
    """
    from allotment.frames.observed_ratio import Unchecked, checks_of  # noqa: PLC0415  # pyarrow

    observed = _observed(_files(files), space, since, quiet=as_json)
    chosen = catalog_of(catalog, home)
    check_experiments(experiment or (), chosen)
    found = list(checks_of(chosen, observed, experiment or ()))
    checks = [each for each in found if not isinstance(each, Unchecked)]
    unchecked = [each for each in found if isinstance(each, Unchecked)]
    if as_json:
        print_json(_plain(checks, unchecked, observed))
    else:
        for check in checks:
            results.print(_table(check, plain=is_plain(results)))
        for line in _lines(unchecked, observed):
            notes.print(line, markup=False, soft_wrap=True)
    if not checks and not as_json:
        results.print("nothing could be checked")
    if exit_code and any(check.is_off for check in checks):
        raise typer.Exit(DIFFERS)


def _files(given: Sequence[Path]) -> list[Path]:
    """The files, and those of the folders whose names tell their form, in the order of names."""
    from allotment.frames.form import ENDINGS, tells_form  # noqa: PLC0415

    found: list[Path] = []
    for path in given:
        if path.is_dir():
            within = sorted(filter(tells_form, path.iterdir()))
            if not within:
                raise InvalidInput(f"no file in {path} ends in one of {', '.join(ENDINGS)}")
            found += within
        else:
            found.append(path)
    return found


def _observed(
    files: Sequence[Path], space: str | None, since: int | None, *, quiet: bool
) -> Observed:
    from allotment.frames.form import open_source  # noqa: PLC0415
    from allotment.frames.observed import COLUMNS, Observing  # noqa: PLC0415

    observing = Observing(space, since)
    for file in files:
        with (
            open_source(file, COLUMNS) as source,
            progress(f"reading {file.name},", source, quiet=quiet) as advance,
        ):
            for rows in source.batches():
                try:
                    observing.add(rows)
                except InvalidInput as error:
                    raise InvalidInput(f"{file}: {error.message}") from error
                advance()
    return observing.result()


def _table(check: ObservedRatio, *, plain: bool) -> Table:
    ratio = check.ratio
    where = f"allocation {check.allocation}" if check.allocation else "all allocations"
    units = f"{sum(ratio.counts):,} units"
    table = Table(
        title=f"[bold]{escape(check.experiment)}[/], iteration {check.iteration}, {escape(where)}, "
        f"{units}",
        caption="\n".join(_captions(check)),
        title_justify="left",
        caption_justify="left",
        title_style="",
        caption_style="",
        box=SIMPLE_HEAD,
    )
    table.add_column("treatment")
    for head in ("share", "expected", "units", "off by", ""):
        table.add_column(head, justify="right")
    table.add_column("", min_width=30)
    longest, total = max(*ratio.counts, 1), max(sum(ratio.buckets), 1)
    rows = zip(check.treatments, ratio.buckets, ratio.expected, ratio.counts, strict=True)
    for treatment, owned, mean, count in rows:
        table.add_row(
            escape(treatment),
            f"{owned / total:.2%}",
            _rounded(mean, ""),
            f"{count:,}",
            _rounded(count - mean, "+"),
            f"{count / mean - 1:+.2%}" if mean else "",
            bar(count, longest, plain=plain),
            style="red" if check.is_off and treatment == check.farthest[0] else "",
        )
    return table


def _rounded(units: float, sign: str) -> str:
    """A number of units, with a decimal where that says something."""
    return f"{units:{sign},.1f}" if abs(units) < 100 else f"{units:{sign},.0f}"


def _captions(check: ObservedRatio) -> Iterator[str]:
    verdict: str = check.verdict
    if check.is_off:
        treatment, deviation = check.farthest
        amount = "many" if deviation > 0 else "few"
        verdict = f"[red]off: too {amount} units got {escape(treatment)}[/]"
    tests = {"chi-square": check.ratio.p, "at any time": check.ratio.anytime}
    values = ", ".join(f"{test} p = {p:.3g}" for test, p in tests.items() if p is not None)
    yield f"{verdict} ({values})" if values else verdict
    if check.several:
        yield (f"{check.several:,} units were seen in more than one treatment; they count in none")


def _lines(unchecked: Sequence[Unchecked], observed: Observed) -> Iterator[str]:
    for each in unchecked:
        yield f"not checked: {each.group}, {each.units:,} units: {each.why}"
    for why, count in sorted(observed.left_out.items()):
        yield f"left out: {count:,} exposures ({why})"


def _plain(
    checks: Sequence[ObservedRatio], unchecked: Sequence[Unchecked], observed: Observed
) -> dict[str, Any]:
    return {
        "checks": [
            {
                "experiment": check.experiment,
                "iteration": check.iteration,
                "allocation": check.allocation,
                "units": dict(zip(check.treatments, check.ratio.counts, strict=True)),
                "buckets": dict(zip(check.treatments, check.ratio.buckets, strict=True)),
                "in_several_treatments": check.several,
                "p": check.ratio.p,
                "anytime_p": check.ratio.anytime,
                "verdict": check.verdict.name.lower(),
                "farthest": check.farthest[0],
            }
            for check in checks
        ],
        "unchecked": [
            {**each.group._asdict(), "units": each.units, "why": each.why} for each in unchecked
        ],
        "left_out": dict(observed.left_out),
    }
