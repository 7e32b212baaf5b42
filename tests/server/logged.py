"""Exposures of a server, logged to files, and what tests ask of them."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from allotment.exposures import FileSink
from allotment.exposures.file_sink import Form
from allotment.model.assignment import Assignment, Frozen, Reason
from allotment.server.counters import Counters
from allotment.server.exposure_log import ExposureLog
from allotment.server.sync.threads import Threads

SPACE = "default/production"
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp()


def given(treatment: str = "green", iteration: int = 1, experiment: str = "checkout") -> Assignment:
    sets = Frozen((("button", treatment),))
    return Assignment(experiment, treatment, Reason.ALLOCATED, sets, False, iteration, 7)


def files(
    form: Form, folder: Path, threads: Threads, *, queue: int = 100_000, **options: Any
) -> ExposureLog:
    """ExposureLog to files of the folder; not started yet."""
    now = options.get("now", lambda: NOON)
    return ExposureLog(FileSink(folder, form, **options), threads, queue=queue, now=now)


def running(folder: Path, **options: Any) -> ExposureLog:
    exposures = files("ndjson", folder, Threads(Counters()), **{"now": lambda: NOON, **options})
    exposures.start()
    return exposures


def counted(exposures: ExposureLog) -> tuple[int, int]:
    counters = exposures._recording.counts
    return counters.exposures_written, counters.exposures_dropped


def written(folder: Path) -> list[dict[str, Any]]:
    """Every exposure in every finished file of the folder."""
    found: list[dict[str, Any]] = []
    for path in sorted(folder.glob("*.ndjson"), key=lambda path: path.stat().st_mtime_ns):
        found += [json.loads(line) for line in path.read_text().splitlines()]
    return found


def soon(holds: Any) -> None:
    """Wait until it holds."""
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)
