"""The vendors' real clients read nouns as large as they can be, of a file or the native API."""

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from allotment.change import commands as c
from allotment.change.apply import apply
from allotment.dialects import catalogfile
from allotment.model.catalog import EMPTY
from allotment.model.experiment import Allocation, Experiment, Iteration, State, Treatment
from allotment.model.flag import Flag, FlagExperiment, Variation
from allotment.model.layer import Holdout, Layer
from allotment.model.plain import to_plain
from allotment.model.segment import AnyOf, Clause, IdList, Operator, Segment
from clients import python_with
from serving import Server, serving

KEY = "k" * 256
NAME = "Å🜚漢\u202e" * 256
TEXT = "é\n" * 8_192
LARGEST = 2**53 - 1
UNITS = [f"{number}-{'ü' * 500}" for number in range(3_000)]
VALUE: dict[str, Any] = {
    "largest": LARGEST,
    "least": -LARGEST,
    "text": TEXT,
    "empty": "",
    "nested": {"none": {}, "ratio": 5e-324},
}
# Confidence has no lists in its values; LaunchDarkly and Auth0 have.
LISTS = {"list": [], "lists": [[], [[]]], "null": None}
COUNTRIES = tuple(f"漢{number}" for number in range(10_000))
ARMS = tuple(
    Treatment(f"{number}-{KEY}"[:256], NAME, ((KEY, "a" if number % 2 else KEY),))
    for number in range(256)
)


def nouns() -> Iterator[c.Command]:
    variations = (Variation(KEY, json.dumps(VALUE), NAME, TEXT), Variation("a", "{}"))
    yield c.Create(Flag(KEY, variations, "a", NAME, TEXT))
    yield c.Create(Flag("lists", (Variation("a", json.dumps(LISTS)), Variation("b", "[]")), "a"))
    yield c.Create(Flag("numbers", (Variation("a", str(LARGEST)), Variation("b", "0")), "a"))
    yield c.Create(Flag("alone", (Variation("only", "null"),), "only"))
    yield c.Create(Layer(KEY, "", NAME, TEXT))
    yield c.Create(Holdout(KEY, "", 1, NAME, TEXT))
    rule = Clause(("country",), Operator.IN, COUNTRIES)
    yield c.Create(Segment(KEY, NAME, TEXT, include=IdList.of(UNITS), rules=(rule,)))
    yield c.Create(Segment("empty", rules=(AnyOf(()),)))
    shares = tuple((arm.key, LARGEST // 256) for arm in ARMS)
    whole = Allocation("all", shares, LARGEST, segment=KEY, priority=LARGEST)
    even = tuple((arm.key, 1) for arm in ARMS)
    rest = Allocation("rest", even, 256, priority=0, fallback=True)
    live = Iteration(1, ARMS, (whole, rest), State.RUNNING, control=ARMS[0].key, started_at=0)
    overridden = tuple(sorted((unit, ARMS[0].key) for unit in UNITS))
    yield c.Create(Experiment(KEY, (live,), NAME, TEXT, layer=None, overrides=overridden))
    yield c.Create(Experiment("bare", (Iteration(1, (), ()),)))
    yield c.Reserve(KEY, KEY, 1_000_000)
    yield c.OrderExperiments(KEY, (FlagExperiment(KEY),))


@pytest.fixture(scope="module", params=["file", "native"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("extremes")
    if request.param == "native":
        with serving(folder) as started:
            with started.client(token=started.token("write")) as client:
                made = client.post("/v1/commands", json={"commands": to_plain((*nouns(),))})
                assert made.status_code == 200, made.text
            yield started
        return
    file = folder / "catalog.yaml"
    file.write_text(catalogfile.show(apply(EMPTY, [*nouns()]).catalog))
    with serving(folder, catalog=file) as started:
        yield started


def said(server: Server, script: str, *packages: str, scope: str) -> Any:
    """What a script says that runs beside a client, as JSON."""
    token = server.token(scope, space="default/*" if scope == "read" else "default/production")
    command = [python_with(*packages), "-c", script, server.url, token, KEY, UNITS[0]]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, f"{done.stderr[-3000:]}\n{server.log[-3000:]}"
    return json.loads(done.stdout)


AUTH0 = """
import json, sys
from auth0.management import Auth0
client = Auth0(base_url=f"{sys.argv[1]}/api/v2", token=sys.argv[2]).experimentation
shown = {name: [*getattr(client, name).list(take=50)]
         for name in ("experiments", "feature_flags", "segments")}
print(json.dumps({
    "names": {name: sorted(one.name for one in all) for name, all in shown.items()},
    "items": sorted(len(one.allocations or ()) for one in shown["experiments"]),
    "rules": sorted(len(one.rules or ()) for one in shown["segments"]),
}))
"""

LAUNCHDARKLY = """
import json, sys
import launchdarkly_api as ld
configuration = ld.Configuration(host=sys.argv[1])
configuration.api_key["ApiKey"] = sys.argv[2]
client, key = ld.ApiClient(configuration), sys.argv[3]
flags, experiments = ld.FeatureFlagsApi(client), ld.ExperimentsApi(client)
at = ("default", "production")
listed = flags.get_feature_flags("default").items
every = "treatments,draftIteration,previousIterations"
one = experiments.get_experiment(*at, key, expand=every)
print(json.dumps({
    "flags": sorted(each.key for each in listed),
    "name": flags.get_feature_flag("default", key).name,
    "values": {each.key: [v.value for v in each.variations] for each in listed},
    "experiments": sorted(each.key for each in experiments.get_experiments(*at).items),
    "experiment": [one.name, one.description, len(one.current_iteration.treatments)],
    "layers": [each.key for each in ld.LayersApi(client).get_layers("default").items],
    "holdouts": [each.key for each in ld.HoldoutsApi(client).get_all_holdouts(*at).items],
}))
"""

CONFIDENCE = """
import json, logging, sys
from confidence.confidence import Confidence
from confidence.openfeature_provider import ConfidenceOpenFeatureProvider
from openfeature import api
from openfeature.evaluation_context import EvaluationContext
logging.disable(logging.CRITICAL)
asked = Confidence(sys.argv[2], custom_resolve_base_url=sys.argv[1], disable_telemetry=True)
api.set_provider(ConfidenceOpenFeatureProvider(asked))
context = EvaluationContext(targeting_key=sys.argv[4])
details = api.get_client().get_object_details(sys.argv[3], {}, context)
code = details.error_code and details.error_code.value
print(json.dumps([details.value, details.variant, str(details.reason), code]))
"""


@pytest.mark.parametrize("version", ["6.8.0", pytest.param("6.7.0", marks=pytest.mark.soak)])
def test_auth0s_client_lists_them_all(server: Server, version: str) -> None:
    packages = (f"auth0-python=={version}", "httpx")
    assert said(server, AUTH0, *packages, scope="read") == {
        "names": {
            "experiments": sorted(["bare", NAME]),
            "feature_flags": sorted([NAME, "lists", "numbers", "alone"]),
            "segments": sorted(["empty", NAME]),
        },
        "items": [0, 512],
        "rules": [0, 1],
    }


def test_launchdarklys_client_reads_them_all(server: Server) -> None:
    shown = said(server, LAUNCHDARKLY, "launchdarkly-api==25.0.1", scope="read")
    assert shown == {
        "flags": sorted([KEY, "lists", "numbers", "alone"]),
        "name": NAME,
        "values": {
            KEY: [VALUE, {}],
            "lists": [LISTS, []],
            "numbers": [LARGEST, 0],
            "alone": [None],
        },
        "experiments": ["bare", KEY],
        "experiment": [NAME, TEXT, 256],
        "layers": [KEY],
        "holdouts": [KEY],
    }


def test_confidences_client_resolves_the_largest_value(server: Server) -> None:
    found = said(server, CONFIDENCE, "spotify-confidence-sdk==3.0.3", scope="assign")
    assert found == [VALUE, KEY, "TARGETING_MATCH", None]
