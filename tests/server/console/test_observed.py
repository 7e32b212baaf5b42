"""Observed units beside the targets: what the server has logged, checked as the command does."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import allotment
from allotment.exposures import FileSink
from allotment.exposures.exposure import Exposure
from allotment.server.console.observed import finished, read_files
from allotment.server.settings import Settings
from allotment.server.sync.node import Node
from allotment.srm import check
from server.console.visiting import HERE, Elements, Visiting
from server.nodes import calling
from serving import SHOP

pytestmark = pytest.mark.anyio

SPACE = "default/production"
PATH = f"{HERE}/experiments/plain/observed"


def logged(
    folder: Path, units: range, *, space: str = SPACE, skip: str = "", every: int = 1
) -> None:
    """Exposures of units in `plain`; of the treatment `skip` only each so many."""
    engine = allotment.load(SHOP)
    sink = FileSink(folder)
    lines = []
    for number in units:
        given = engine.assign("plain", f"user-{number}")
        if given.treatment == skip and number % every:
            continue
        allocation = engine.allocation_of(given, f"user-{number}")
        exposure = Exposure.of(number, space, "user", f"user-{number}", given, allocation)
        lines.append(exposure)
    sink.write(lines)
    sink.close()


async def page_of(visiting: Visiting, folder: Path, status: int = 200, **query: str) -> Elements:
    settings = Settings(exposures="ndjson", exposures_dir=folder)
    header = {"authorization": f"Bearer {await visiting.token()}"}
    async with calling(visiting.node, settings, **header) as client:
        answer = await client.get(PATH, params=query)
    assert answer.status_code == status
    return Elements(answer.text)


async def test_the_units_stand_beside_the_targets(visiting: Visiting, tmp_path: Path) -> None:
    logged(tmp_path / "x", range(4_000))
    logged(tmp_path / "x", range(2_000, 6_000))
    page = await page_of(visiting, tmp_path / "x")
    counts = {"control": 0, "new": 0}
    engine = allotment.load(SHOP)
    for number in range(6_000):
        counts[engine.assign("plain", f"user-{number}").treatment] += 1
    assert "from 2 files" in page.words
    assert "The shares are as expected" in page.words
    assert f"control 10% {counts['control'] / 6_000:.2%} 600 {counts['control']}" in page.words
    assert f"new 90% {counts['new'] / 6_000:.2%} 5,400 {counts['new']:,}" in page.words


async def test_a_share_that_is_off_is_an_alarm_and_names_the_treatment(
    visiting: Visiting, tmp_path: Path
) -> None:
    logged(tmp_path, range(6_000), skip="control", every=2)
    page = await page_of(visiting, tmp_path)
    assert "The shares are off" in page.words
    assert "control farthest off" in page.words
    assert ("p", "role", "alert") in page.attributes


async def test_it_is_the_check_of_the_command(tmp_path: Path) -> None:
    import pyarrow.json

    logged(tmp_path, range(3_000))
    ((path, *_),) = finished(tmp_path)
    (expected,) = check(allotment.load(SHOP), pyarrow.json.read_json(path), ["plain"])
    seen = read_files(finished(tmp_path), SPACE, 0)
    (counts,) = seen.observed.counts.values()
    assert tuple(counts[each] for each in expected.treatments) == expected.ratio.counts


async def test_exposures_of_other_spaces_and_earlier_revisions_do_not_count(
    visiting: Visiting, tmp_path: Path
) -> None:
    logged(tmp_path, range(500), space="other/production")
    assert "No unit was seen yet" in (await page_of(visiting, tmp_path)).words
    logged(tmp_path, range(500))
    assert "No unit was seen yet" in (await page_of(visiting, tmp_path, since="9")).words
    assert "The shares are" in (await page_of(visiting, tmp_path, since="0")).words
    await page_of(visiting, tmp_path, 400, since="x")


async def test_what_cannot_be_read_is_said_and_the_rest_is_counted(
    visiting: Visiting, tmp_path: Path
) -> None:
    logged(tmp_path, range(500))
    (tmp_path / "exposures-broken.ndjson").write_text("{")
    (tmp_path / "exposures-now.ndjson.writing").write_text("{}\n")
    page = await page_of(visiting, tmp_path)
    assert "1 file cannot be read" in page.words
    assert "from 1 file of this server" in page.words
    assert str(tmp_path) not in page.text


def test_the_newest_files_are_read_up_to_so_many_bytes(tmp_path: Path) -> None:
    for start in (0, 100, 200):
        logged(tmp_path, range(start, start + 100))
    for age, (path, *_) in enumerate(finished(tmp_path)):
        os.utime(path, (1_000 - age, 1_000 - age))
    files = finished(tmp_path)
    seen = read_files(files, SPACE, 0, most=files[0][1] + files[1][1])
    assert (seen.files, seen.passed_over) == (2, 1)
    assert read_files(files, SPACE, 0, most=1).files == 1, "the newest is read in any case"


async def test_without_a_log_it_is_said_that_there_is_none(node: Node, tmp_path: Path) -> None:
    webhook = {"exposures": "webhook", "exposures_url": "http://127.0.0.1:1"}
    for more, said in (({}, "logs no exposures"), (webhook, "to a webhook and keeps none")):
        async with calling(node, Settings(**more)) as client:
            for path in (PATH, PATH.removesuffix("/observed")):
                assert said in (await client.get(path)).text
    async with calling(node, Settings(exposures="ndjson", exposures_dir=tmp_path / "no")) as client:
        assert "No unit was seen yet" in (await client.get(PATH)).text
        assert "Count the exposures" in (await client.get(PATH.removesuffix("/observed"))).text
