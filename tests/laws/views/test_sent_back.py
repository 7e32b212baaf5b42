"""What a GET answers, sent back by an API: nothing changes, or the refusal names the field.

The catalogs are generated as a file or the native API makes them: most have what no vendor's API
can say. Others are made by the vendors' own APIs, each of which is then asked for all there is.
What else Auth0's API makes is in tests/dialects/auth0/test_sent_back.py.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

import strategies
from allotment.change.commands import Create, Keep
from allotment.change.diff import diff
from allotment.change.kinds import KINDS, nouns_of
from allotment.model.catalog import EMPTY, Catalog
from dialects.auth0.test_sent_back import SETTABLE
from laws.machine import three
from laws.machine.test_histories import FLAG
from laws.views.world import LAUNCHDARKLY, SEMANTIC
from resolving import flag as confidence_flag
from tenant import BASE, SCHEMAS, Tenant, Vendor, node_over, vendor

EXPERIMENTS = f"{LAUNCHDARKLY}/environments/production/experiments"
FLAGS = "/api/v2/flags/default"
FEW = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@contextmanager
def served(catalog: Catalog) -> Iterator[Vendor]:
    with TemporaryDirectory() as folder, vendor(Path(folder)) as api:
        if catalog is not EMPTY and catalog.revision:
            api.apply(*diff(EMPTY, catalog))
            # What is generated under a vendor's path has no shape that its API would have given it.
            gone = [
                Keep(kind, key, path, None)
                for kind in KINDS
                for key, noun in nouns_of(catalog, kind).items()
                for path, _ in noun.kept
            ]
            api.apply(*gone)
        yield api


def sent(api: Vendor, method: str, path: str, body: Any, **headers: str) -> Any:
    """The answer to what was shown; where it is refused, the refusal says where the fault is."""
    before = api.catalog
    answer = api.call(method, path, body, **headers)
    if not answer.is_success:
        assert answer.status_code in (400, 409), answer.text
        assert " - at " in answer.text, f"{method} {path} {body}: {answer.text}"
    else:
        assert api.catalog is before, f"{method} {path} {body} changed something"
    return answer


def sent_to_native(api: Vendor) -> None:
    for kind in ("flags", "segments", "layers", "holdouts", "experiments"):
        for key in getattr(api.catalog, kind):
            path = f"/v1/catalog/{kind}/{key}"
            shown = api.get(path)
            answer = sent(api, "PUT", path, shown)
            assert (answer.status_code, answer.json()) == (200, shown), (path, answer.text)


@FEW
@given(catalog=strategies.catalogs())
def test_a_noun_that_is_put_as_it_was_got_is_no_change(catalog: Catalog) -> None:
    with served(catalog) as api:
        sent_to_native(api)


def sent_to_confidence(api: Vendor) -> None:
    instances = api.get("/v1/workflows/abtest/instances?pageSize=1000")["abtests"]
    segments = api.get("/v1/segments?pageSize=1000")["segments"]
    for shown in (*instances, *segments):
        path = f"/v1/{shown['name']}"
        for query in ("", "?updateMask=*"):
            answer = sent(api, "PATCH", f"{path}{query}", shown)
            assert (answer.status_code, answer.json()) == (200, shown), (path, answer.text)
        for name in shown:
            sent(api, "PATCH", f"{path}?updateMask={name}", shown)
    for shown in api.get("/v1/flags?pageSize=1000")["flags"]:
        path = f"/v1/{shown['name']}"
        apart = {"variants", "rules", "clients"}  # not set here, and the refusal says so
        for name, value in shown.items():
            answer = sent(api, "PATCH", path, {name: value})
            assert answer.is_success or name in apart, (name, answer.text)
            assert answer.is_success or f"$.{name}" in answer.text
        settable = {name: shown[name] for name in shown.keys() - apart}
        answer = sent(api, "PATCH", path, settable)
        assert (answer.status_code, answer.json()) == (200, shown), (path, answer.text)


@FEW
@given(catalog=strategies.catalogs())
def test_what_confidence_shows_and_is_sent_back_is_no_change(catalog: Catalog) -> None:
    with served(catalog) as api:
        sent_to_confidence(api)


def sent_to_launchdarkly(api: Vendor) -> None:
    here = {"environmentKey": "production"}
    for key in api.catalog.experiments:
        path = f"{EXPERIMENTS}/{key}"
        shown = api.get(path)
        named = {"updateName": shown["name"], "updateDescription": shown["description"]}
        steps = [{"kind": kind, "value": value} for kind, value in named.items()]
        answer = sent(api, "PATCH", path, {"instructions": steps}, content_type=SEMANTIC)
        assert answer.is_success, answer.text
    for key in api.catalog.flags:
        path = f"{FLAGS}/{key}"
        shown = api.get(path)
        on = shown["environments"]["production"]["on"]
        steps = [
            {"kind": "updateName", "value": shown["name"]},
            {"kind": "updateDescription", "value": shown["description"]},
            *([{"kind": "turnFlagOn" if on else "turnFlagOff"}] if not shown["archived"] else []),
            {"kind": "addTags", "values": shown["tags"]},
        ]
        answer = sent(api, "PATCH", path, {**here, "instructions": steps}, content_type=SEMANTIC)
        assert answer.is_success, answer.text
        for name in ("name", "description", "archived", "temporary"):
            patch = [{"op": "replace", "path": f"/{name}", "value": shown[name]}]
            answer = sent(api, "PATCH", path, patch)
            assert answer.is_success, (patch, answer.text)


@FEW
@given(catalog=strategies.catalogs())
def test_what_launchdarkly_shows_and_is_sent_back_is_no_change(catalog: Catalog) -> None:
    with served(catalog) as api:
        sent_to_launchdarkly(api)


def made_by_vendors(api: Vendor, rng: Random) -> None:
    """Flags, segments and experiments in every state, made and changed through the three APIs."""
    api.apply(Create(FLAG))
    api.post("/api/v2/flags/default", {"key": "dark", "name": "Dark", "tags": ["one", "two"]})
    confidence_flag(api, "sure")
    exclusive = {"proportion": {"value": "0.25"}, "exclusivityTags": ["a"], "exclusiveTo": ["a"]}
    body = {"displayName": "Some", "allocation": exclusive}
    api.post("/v1/segments?segmentId=some", body)
    for number in range(6):
        key, api_of = f"test-{number}", three.APIS[number % 3]
        asked = [three.create(api_of, key, key.title().replace("-", " "), (50, 50))]
        for _ in range(rng.randint(0, 5)):
            by = rng.choice(three.APIS)
            asked.append(
                rng.choice(
                    (
                        three.rename(by, key, f"Name {number}"),
                        three.reweigh(by, key, rng.choice(((20, 80), (60, 40)))),
                        three.draft(key, (10, 90), reshuffle=False),
                        three.start(by, key),
                        three.start(by, key),
                        three.stop(by, key),
                    )
                )
            )
        for method, path, said, headers in asked:
            api.call(method, path, said, **headers)  # some of it is refused
    assert len(api.catalog.experiments) == 6


def edited(shown: Any) -> Any:
    """The iteration that edits are of: what runs, else the draft, else what ran last."""
    current, draft = shown.get("currentIteration"), shown.get("draftIteration")
    return current if current and current["status"] == "running" else draft or current


def fields_of(shown: Any) -> dict[str, Any]:
    """What LaunchDarkly shows of an experiment and its iteration, by the fields that edit it."""
    iteration = edited(shown)
    metric = iteration.get("primarySingleMetric") or {}
    said = {
        **{name: shown.get(name) for name in ("name", "description", "tags", "holdoutId")},
        **{name: shown.get(name) for name in ("methodology", "analysisConfig")},
        "maintainerId": shown["_maintainerId"],
        **{name: iteration.get(name) for name in ("hypothesis", "canReshuffleTraffic")},
        **{name: iteration.get(name) for name in ("randomizationUnit", "attributes")},
        "reallocationFrequencyMillis": iteration.get("reallocationFrequencyMillis"),
        "metrics": [
            {"key": one["key"], "isGroup": one["isGroup"]} for one in iteration.get("metrics", ())
        ],
        "primarySingleMetricKey": metric.get("key"),
        "flags": {
            key: {
                "ruleId": one["targetingRule"],
                "flagConfigVersion": one["flagConfigVersion"],
                "notInExperimentVariationId": one["notInExperimentVariationId"],
            }
            for key, one in iteration["flags"].items()
        },
        "treatments": [
            {name: value for name, value in one.items() if name != "_id"}
            for one in iteration["treatments"]
        ],
    }
    return {name: value for name, value in said.items() if value is not None}


def fields_sent_to_launchdarkly(api: Vendor) -> None:
    """Each field that the status lets be updated, by the instruction that edits fields."""
    sent_of: set[tuple[str, str]] = set()
    every = "expand=draftIteration,treatments,secondaryMetrics,analysisConfig,mutableFieldsByStatus"
    for key in api.catalog.experiments:
        shown = api.get(f"{EXPERIMENTS}/{key}?{every}")
        iteration = edited(shown)
        may = shown["mutableFieldsByStatus"][iteration["status"]]
        for name, value in fields_of(shown).items():
            edit = {"kind": "updateExperimentFields", "value": {name: {"operation": "update"}}}
            edit["value"][name]["value"] = value
            body = {"instructions": [edit]}
            answer = sent(api, "PATCH", f"{EXPERIMENTS}/{key}", body, content_type=SEMANTIC)
            assert answer.is_success is ("update" in may.get(name, ())), (name, answer.text)
            sent_of.add((iteration["status"], name))
    assert {name for _, name in sent_of} >= {"metrics", "treatments", "flags", "tags", "name"}
    assert {status for status, _ in sent_of} >= {"not_started", "running"}


def sent_to_auth0(api: Tenant) -> None:
    """What the document says of bodies is of new ones: of what this API cannot say, it shows
    `match: {}` or `parameters: {}`, and takes that back."""
    before = api.catalog
    for kind in ("experiments", "segments", "feature_flags"):
        path = f"/{kind.replace('_', '-')}"
        for one in api.get(f"{path}?take=50")[kind]:
            known = SCHEMAS[SETTABLE[one["id"][:3]]]["properties"]
            body = {name: value for name, value in one.items() if name in known}
            answer = api.run(api.ask("PATCH", f"{path}/{one['id']}", body))
            assert (answer.status_code, answer.json()) == (200, one), answer.text
    assert api.catalog is before


@pytest.mark.parametrize("number", range(3))
def test_what_vendors_made_and_any_shows_is_no_change_when_it_is_sent_back(
    tmp_path: Path, seed: int, number: int
) -> None:
    with node_over(tmp_path / "allotment.db") as (node, runner):
        api = Vendor(node, runner)
        made_by_vendors(api, Random(seed + number))
        auth0 = Tenant(node, runner, BASE)
        auth0.flag()
        auth0.segment()
        sent_to_native(api)
        sent_to_confidence(api)
        sent_to_launchdarkly(api)
        fields_sent_to_launchdarkly(api)
        sent_to_auth0(auth0)
