"""Several nodes on one store: what another commits between reading and writing is not lost."""

import pytest

from allotment.change.commands import Command, Create, Describe, OrderExperiments, SetVariations
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment, Iteration
from allotment.model.flag import FlagExperiment, Variation
from interrupting import interrupt
from tenant import Tenant, halves


def listed(api: Tenant) -> list[str]:
    return [item.experiment for item in api.catalog.flags["login-box"].experiments]


def list_another(catalog: Catalog) -> list[Command]:
    flag = catalog.flags["login-box"]
    another = Experiment("another", (Iteration(1, (), ()),))
    places = (*flag.experiments, FlagExperiment("another"))
    return [Create(another), OrderExperiments("login-box", places)]


def add_variation(catalog: Catalog) -> list[Command]:
    flag = catalog.flags["login-box"]
    added = Variation("third", flag.variations[0].value)
    return [SetVariations("login-box", (*flag.variations, added), flag.default)]


def test_an_experiment_is_listed_beside_one_that_another_node_lists(
    api: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    flag, variations = api.flag()
    interrupt(api, monkeypatch, list_another)
    api.experiment(flag, halves(*variations))
    assert listed(api) == ["another", "shorter-login"]


def test_an_experiment_goes_and_one_that_another_node_lists_stays(
    api: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    flag, variations = api.flag()
    one = api.experiment(flag, halves(*variations))
    interrupt(api, monkeypatch, list_another)
    api.delete(f"/experiments/{one['id']}")
    assert listed(api) == ["another"]


@pytest.mark.parametrize("change", ["create", "update", "delete", "parameters"])
def test_a_variation_that_another_node_adds_stays(
    api: Tenant, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    flag, (control, _) = api.flag()
    path = f"/feature-flags/{flag}"
    interrupt(api, monkeypatch, add_variation)
    if change == "create":
        api.post(f"{path}/variations", {"name": "More", "overrides": {}})
    elif change == "update":
        api.patch(f"{path}/variations/{control}", {"overrides": {"style": {"value": "modal"}}})
    elif change == "delete":
        api.delete(f"{path}/variations/{control}")
    else:
        api.patch(path, {"parameters": {**api.get(path)["parameters"], "more": _MORE}})
    assert "third" in [one.key for one in api.catalog.flags["login-box"].variations]


_MORE = {"type": "number", "value": 1}


def test_a_condition_that_another_node_breaks_is_told(
    api: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    flag, _ = api.flag()
    path = f"/feature-flags/{flag}"
    tag = api.call("GET", path).headers["etag"]
    interrupt(api, monkeypatch, lambda _catalog: [Describe("flag", "login-box", "Meanwhile")])
    refusal = api.refused("PATCH", path, {"name": "New name"}, if_match=tag)
    assert refusal == (412, "precondition_failed")
