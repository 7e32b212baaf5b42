"""A flag with an experiment that runs, and what its units get."""

from collections.abc import Iterable
from typing import Any

from allotment.change.commands import (
    Create,
    OrderExperiments,
    StartIteration,
)
from allotment.model.experiment import Allocation, Experiment, Iteration, Treatment
from allotment.model.flag import FlagExperiment
from tenant import Vendor

FLAG = "flags/login-box"
UNITS = [f"unit-{number}" for number in range(300)]

SWEDEN = {
    "criteria": {
        "sweden": {
            "attribute": {
                "attributeName": "country",
                "eqRule": {"value": {"stringValue": "SE"}},
            }
        }
    },
    "expression": {"ref": "sweden"},
}


def flag(api: Vendor, key: str = "login-box") -> None:
    """A flag with two variants, `control` and `new`."""
    api.post(
        f"/v1/flags?flagId={key}",
        {
            "variants": [
                {
                    "name": f"flags/{key}/variants/control",
                    "value": {"shown": False, "text": "Log in", "box": {"width": 300}},
                },
                {"name": f"flags/{key}/variants/new", "value": {"shown": True}},
            ]
        },
    )


def run(api: Vendor, audience: str | None, key: str = "login-box", **more: Any) -> None:
    """Let an experiment run that gives half of the audience each of the flag's variants."""
    name = more.pop("experiment", key)
    treatments = tuple(Treatment(each, sets=((key, each),)) for each in ("control", "new"))
    halves = Allocation("everyone", (("control", 1), ("new", 1)), 2)
    iteration = Iteration(1, treatments, (halves,), control="control", audience=audience)
    api.apply(
        Create(Experiment(name, (iteration,), **more)),
        OrderExperiments(key, (FlagExperiment(name),)),
        StartIteration(name),
    )


def resolved(api: Vendor, context: Any, flag: str = FLAG, **more: Any) -> Any:
    """What the flag resolves to."""
    body = {"flags": [flag], "evaluationContext": context, **more}
    (found,) = api.post("/v1/flags:resolve", body)["resolvedFlags"]
    assert found["flag"] == flag
    return found


def variants(api: Vendor, units: Iterable[str] = UNITS, flag: str = FLAG) -> dict[str, str]:
    """By unit, the variant that it gets; units that get none are left out."""
    found = {unit: resolved(api, {"targeting_key": unit}, flag)["variant"] for unit in units}
    return {unit: variant for unit, variant in found.items() if variant}


def refusal(api: Vendor, method: str, path: str, body: Any = None, **headers: str) -> Any:
    """The status, the code and the sentence of a refusal, which has this API's body of errors."""
    answer = api.call(method, path, body, **headers)
    tree = answer.json()
    assert list(tree) == ["code", "message", "details"], tree
    assert answer.headers["content-type"] == "application/json"
    return answer.status_code, tree["code"], tree["message"]
