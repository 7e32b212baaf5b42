"""The page on the API says what is true: its tour runs, and its words are those that there are."""

import re
import subprocess
from pathlib import Path
from typing import get_args

import pytest

from allotment.dialects.launchdarkly.codes import CODES
from allotment.dialects.launchdarkly.experiments import mutable_fields
from allotment.dialects.launchdarkly.flag_patch import LDFlagPatch, LDLackedOfFlag
from allotment.dialects.launchdarkly.holdouts import LDHoldoutPatch
from allotment.dialects.launchdarkly.instructions import LDExperimentPatch
from allotment.dialects.launchdarkly.layers import LDLayerPatch
from allotment.dialects.launchdarkly.patch import LDPatch
from serving import serving

HOUSE = Path(__file__).parents[3]
PAGE = (HOUSE / "docs" / "launchdarkly.md").read_text()
PATCHES = [LDExperimentPatch, LDLayerPatch, LDFlagPatch, LDHoldoutPatch]


def test_the_tour_runs(tmp_path: Path) -> None:
    (tour,) = re.findall(r"^```sh\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE)
    with serving(tmp_path) as server:
        host = server.url.removeprefix("http://")
        script = "set -e\n" + tour.replace("localhost:8080", host)
        done = subprocess.run(
            ["bash", "-c", script], capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\n{server.log}"
    assert '"treatment":' in done.stdout
    assert done.stdout.count('"status":"running"') == 2
    assert '"winningReason":"it sold more"' in done.stdout
    assert '"total_count":1' in done.stdout


@pytest.mark.parametrize("patch", PATCHES)
def test_the_page_has_every_instruction(patch: type[LDPatch]) -> None:
    (item,) = get_args(patch.model_fields["instructions"].annotation)
    steps = set(get_args(get_args(item)[0])) - {LDLackedOfFlag}
    kinds = {kind for step in steps for kind in get_args(step.model_fields["kind"].annotation)}
    assert len(kinds) >= 4
    assert {kind for kind in kinds if f"`{kind}`" not in PAGE} == set()


def test_the_page_has_every_code() -> None:
    codes = set(CODES.values())
    rare = {"request_timeout", "uri_too_long", "headers_too_large", "rate_limited"}
    assert len(codes) > 8
    assert {code for code in codes - rare if f"`{code}`" not in PAGE} == set()


def test_the_page_has_every_status() -> None:
    words = mutable_fields()
    assert {word for word in words if f"`{word}`" not in PAGE} == set()
