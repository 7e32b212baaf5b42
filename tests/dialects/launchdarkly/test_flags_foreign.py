"""What was made elsewhere: the real client reads it, and it stays as it is until it is named."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from allotment.change.commands import Command, Create, OrderExperiments, Reserve
from allotment.model.flag import Flag, FlagExperiment, FlagState, Variation
from allotment.model.layer import Holdout, Layer
from clients import python_with
from ldproject import BASE
from ldwhole import Project, project
from nouns import experiment
from tenant import SPACE

FLAGS, LAYERS = "/flags/default", "/projects/default/layers"
HOLDOUTS = f"{BASE.removeprefix('/api/v2')}/holdouts"

READ = """
import json, sys
import launchdarkly_api as ld
shown = json.load(sys.stdin)
for kind in ("FeatureFlags", "LayerCollectionRep", "HoldoutsCollectionRep", "HoldoutDetailRep"):
    getattr(ld, kind).from_dict(shown[kind])
    print(kind)
"""


def elsewhere() -> list[Command]:
    """What no call of this API makes."""
    bare = Flag("bare", (Variation("only", "null"),), "only", state=FlagState.ARCHIVED)
    loose = experiment("loose", unit="device", holdout="tiny")
    return [
        Create(Flag("button", (Variation("blue", "1"), Variation("green", "{}")), "blue")),
        Create(bare),
        Create(Holdout("tiny", "", 1, unit="device")),
        Create(Holdout("over", "", 0)),
        Create(Layer("page", "")),
        Create(Layer("devices", "", unit="device")),
        Create(experiment("inside")),
        Create(loose),
        Reserve("page", "inside", 5_000),
        OrderExperiments("button", (FlagExperiment("inside"), FlagExperiment("loose"))),
    ]


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Project]:
    with project(tmp_path) as made:
        made.apply(*elsewhere())
        yield made


def test_the_real_client_reads_what_was_made_elsewhere(api: Project) -> None:
    everything = "draftIteration,treatments,secondaryMetrics,rel-treatments,rel-metrics"
    shown = {
        "FeatureFlags": api.get(f"{FLAGS}?env=production"),
        "LayerCollectionRep": api.get(LAYERS),
        "HoldoutsCollectionRep": api.get(HOLDOUTS),
        "HoldoutDetailRep": api.get(f"{HOLDOUTS}/tiny?expand={everything}"),
    }
    python = python_with("launchdarkly-api==25.0.1")
    done = subprocess.run(
        [python, "-c", READ], input=json.dumps(shown), capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == [*shown], done.stderr
    assert api.get(f"{FLAGS}/bare")["archived"] is True
    assert [each["status"] for each in shown["HoldoutsCollectionRep"]["items"]] == [
        "ended",
        "running",
    ]


def test_nothing_is_written_back_but_what_a_request_names(api: Project) -> None:
    before = api.at(SPACE)
    api.told(f"{FLAGS}/button", {"kind": "updateName", "value": "Button"})
    api.told(f"{LAYERS}/page", {"kind": "updateName", "name": "Page"})
    api.told(f"{HOLDOUTS}/tiny", {"kind": "updateName", "value": "Tiny"})
    after = api.at(SPACE)
    assert after.layers["page"].reservations == before.layers["page"].reservations
    assert after.holdouts["tiny"].share_ppm == 1
    assert after.flags["button"].experiments == before.flags["button"].experiments
    assert after.experiments == before.experiments
