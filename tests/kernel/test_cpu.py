"""The paths of the processor: each is taken where it is asked for, and all decide alike."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from allotment.errors import InvalidInput
from allotment.kernel.cpu import check_asked, path_taken, paths_here

ALL = ["plain", "avx2", "avx512"]


def _decide(path: str) -> subprocess.CompletedProcess[str]:
    """What kernel.deciding says, asked for a path."""
    found = os.pathsep.join(sys.path)
    return subprocess.run(
        [sys.executable, "-m", "kernel.deciding"],
        env={**os.environ, "ALLOTMENT_CPU": path, "PYTHONPATH": found},
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_path_is_taken_when_asked_for_and_all_decide_alike() -> None:
    said = [_decide(path).stdout.split() for path in paths_here()]
    assert [path for path, _ in said] == list(paths_here())
    assert len({decided for _, decided in said}) == 1


def test_the_widest_path_is_taken_where_none_is_asked_for() -> None:
    assert list(paths_here()) == ALL[: len(paths_here())]
    assert _decide("").stdout.split()[0] == paths_here()[-1]
    assert path_taken() == (os.environ.get("ALLOTMENT_CPU") or paths_here()[-1])


def test_a_path_that_the_processor_lacks_is_refused_by_name() -> None:
    refused = _decide("AVX2")
    assert refused.returncode != 0
    assert "ALLOTMENT_CPU is 'AVX2', and this processor has plain" in refused.stderr
    with pytest.raises(InvalidInput, match="'avx512', and this processor has plain, avx2: name"):
        check_asked("avx512", ("plain", "avx2"))
