"""What is kept steers nothing: without it, assignments and what steers them are as they were."""

from typing import Any

from allotment.change.commands import Create, Keep, Reserve
from allotment.change.kinds import KINDS, nouns_of
from allotment.dialects.launchdarkly.ids import id_of
from allotment.model.layer import Holdout, Layer
from ldproject import ALL, Environment, halves, iteration, treatment, variation

UNITS = [f"user-{number}" for number in range(300)]

# What an iteration shows that decides nothing; the rest must not depend on what is kept.
NOTED = {
    *("hypothesis", "createdAt", "attributes", "metrics", "secondaryMetrics", "covariateInfo"),
    *("primaryMetric", "primarySingleMetric", "primaryFunnel", "reallocationFrequencyMillis"),
    "layerSnapshot",
}
OWN = {
    *("_maintainerId", "tags", "methodology", "dataSource", "type", "analysisConfig"),
    "archivedDate",
}


def fill(api: Environment) -> None:
    """Every shape of an experiment."""
    api.apply(Create(Holdout("quarter", "salt", 250_000)), Create(Layer("page", "salt")))
    other = {
        "ruleId": "rule-7",
        "flagConfigVersion": 12,
        "notInExperimentVariationId": variation("blue"),
    }
    shapes: list[dict[str, Any]] = [
        {"treatments": halves("30", "20.5"), "flags": {"button": other}, "attributes": ["os"]},
        {
            "treatments": [treatment("A", "10", "red"), treatment("B", "60", "green")],
            "primaryFunnelKey": "steps",
            "canReshuffleTraffic": False,
            "covariateId": "7",
            "reallocationFrequencyMillis": 9,
        },
        {"holdoutId": id_of("holdout", "quarter"), "maintainerId": "m", "tags": ["x"]},
        {
            "type": "mab",
            "dataSource": "snowflake",
            "analysisConfig": {"bayesianThreshold": "90"},
            "randomizationUnit": "device",
        },
    ]
    for number, shape in enumerate(shapes):
        api.experiment(f"draft-{number}", **shape)
        api.running(f"running-{number}", **shape)
        api.running(f"again-{number}", **shape)
        inner = {name: value for name, value in shape.items() if name not in OWN}
        inner.pop("holdoutId", None)
        api.post(f"/experiments/again-{number}/iterations", iteration(**inner))
        api.told(f"again-{number}", {"kind": "startIteration", "changeJustification": "x"})
        api.stopped(f"stopped-{number}", **shape)
        api.stopped(f"archived-{number}", **shape)
        api.told(f"archived-{number}", "archiveExperiment")
    api.experiment("inside")
    api.apply(Reserve("page", "inside", 300_000))
    api.told("inside", "startIteration")
    api.told("inside", {"kind": "stopIteration", "winningTreatmentId": api.winner("inside")})


def assignments(api: Environment) -> list[Any]:
    answers: list[Any] = []
    for experiment in api.catalog.experiments:
        for unit in UNITS:
            one = api.engine.assign(experiment, {"user": unit, "device": unit})
            answers.append((one.treatment, one.reason, one.variations, one.is_control))
    answers.extend(api.engine.resolve("button", unit) for unit in UNITS)
    return answers


def steering(api: Environment) -> dict[str, Any]:
    """What each experiment shows that steers anything."""
    page = api.get(f"/experiments{ALL}&limit=100&lifecycleState=active,archived")
    assert page["total_count"] == len(page["items"]) == len(api.catalog.experiments)
    return {one["key"]: _without(one) for one in page["items"]}


def _without(one: dict[str, Any]) -> dict[str, Any]:
    shown = {name: value for name, value in one.items() if name not in OWN}
    shown["archived"] = "archivedDate" in one
    for name in ("currentIteration", "draftIteration"):
        if name in shown:
            shown[name] = _bare(shown[name])
    shown["previousIterations"] = [_bare(each) for each in one.get("previousIterations", [])]
    return shown


def _bare(shown: dict[str, Any]) -> dict[str, Any]:
    bare = {name: value for name, value in shown.items() if name not in NOTED}
    otherwise = "notInExperimentVariationId"
    bare["flags"] = {key: flag[otherwise] for key, flag in shown["flags"].items()}
    return bare


def test_whatever_is_kept_can_go_and_nothing_is_steered_otherwise(flagged: Environment) -> None:
    fill(flagged)
    kept = [
        (kind, key, path)
        for kind in KINDS
        for key, noun in nouns_of(flagged.catalog, kind).items()
        for path, _ in noun.kept
    ]
    assert {path.split("/")[1] for _, _, path in kept} == {
        *("analysisConfig", "archivedDate", "dataSource", "iteration", "maintainerId"),
        *("methodology", "tags", "type"),
    }, "every kind of kept value is here; a new one needs its shape above"
    before = assignments(flagged), steering(flagged), flagged.engine.snapshot.fingerprint
    flagged.apply(*(Keep(kind, key, path, None) for kind, key, path in kept))
    assert not any(noun.kept for kind in KINDS for noun in nouns_of(flagged.catalog, kind).values())
    after = assignments(flagged), steering(flagged), flagged.engine.snapshot.fingerprint
    assert after == before
    assert len({answer[0] for answer in before[0] if isinstance(answer, tuple)}) > 4


def test_the_snapshot_of_a_layer_is_of_the_moment_of_the_stop(flagged: Environment) -> None:
    flagged.apply(Create(Layer("page", "salt", "The page")))
    flagged.experiment("inside")
    flagged.experiment("beside")
    flagged.apply(Reserve("page", "inside", 100_000), Reserve("page", "beside", 204_999))
    assert flagged.shown("inside")["draftIteration"]["layerSnapshot"] == {
        "key": "page",
        "name": "The page",
        "reservationPercent": 10,
        "otherReservationPercent": 20,
    }
    flagged.told("inside", "startIteration")
    flagged.apply(Reserve("page", "inside", 150_000))
    first = flagged.shown("inside")["currentIteration"]["layerSnapshot"]
    assert first["reservationPercent"] == 15
    flagged.post("/experiments/inside/iterations", iteration())
    flagged.told("inside", {"kind": "startIteration", "changeJustification": "again"})
    flagged.apply(Reserve("page", "inside", 400_000))
    flagged.told(
        "inside", {"kind": "stopIteration", "winningTreatmentId": flagged.winner("inside")}
    )
    flagged.apply(Reserve("page", "inside", 50_000))
    shown = flagged.shown("inside")
    assert shown["currentIteration"]["layerSnapshot"]["reservationPercent"] == 40
    assert shown["previousIterations"][0]["layerSnapshot"] == first
