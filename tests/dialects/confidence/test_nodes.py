"""Several nodes on one store: what another commits between reading and writing is not lost."""

import pytest

from allotment.change.commands import Command, Create, Describe, OrderExperiments
from allotment.dialects.confidence.names import NOTES
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment, Iteration
from allotment.model.flag import FlagExperiment
from interrupting import interrupt
from workspace import INSTANCES, LINK, Workspace, arms


def listed(api: Workspace, flag: str = "button") -> list[str]:
    return [item.experiment for item in api.catalog.flags[flag].experiments]


def list_another(catalog: Catalog) -> list[Command]:
    another = Experiment("another", (Iteration(1, (), ()),))
    return [
        Create(another),
        *(
            OrderExperiments(key, (*catalog.flags[key].experiments, FlagExperiment("another")))
            for key in ("button", "link")
        ),
    ]


@pytest.mark.parametrize("change", ["create", "clone", "delete", "move"])
def test_what_another_node_lists_with_a_flag_stays(
    api: Workspace, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    api.flag(LINK)
    made = api.draft(5000, 5000)
    interrupt(api, monkeypatch, list_another)
    match change:
        case "create":
            api.draft(5000, 5000)
            assert listed(api) == ["greener-button", "another", "greener-button-2"]
        case "clone":
            api.post(f"/{made['name']}:clone", {"displayName": "Again"})
            assert listed(api) == ["greener-button", "another", "again"]
        case "delete":
            api.delete(f"/{made['name']}")
            assert listed(api) == ["another"]
        case _:
            items = arms(5000, 5000)
            for item in items:
                item["variant"] = item["variant"].replace("button", "link")
            api.update(made, {"abtest": {"treatments": items}})
            assert (listed(api), listed(api, "link")) == (
                ["another"],
                ["another", "greener-button"],
            )


def test_what_another_node_writes_into_the_same_module_stays(
    api: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = api.post(INSTANCES, {"displayName": "Bare", "stats": {"alpha": 0.05}})
    stats = NOTES.keep("experiment", "bare", "stats", {"alpha": 0.01})
    interrupt(api, monkeypatch, lambda _catalog: [stats])
    shown = api.update(made, {"stats": {"power": 0.8}})
    assert shown["stats"] == {"alpha": 0.01, "power": 0.8}


def test_a_condition_that_another_node_breaks_is_told(
    api: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = api.draft(5000, 5000)
    tag = api.call("GET", f"/{made['name']}").headers["etag"]
    other = Describe("experiment", api.key(made), "Meanwhile")
    interrupt(api, monkeypatch, lambda _catalog: [other])
    refused = api.refused("PATCH", f"/{made['name']}", {"displayName": "New"}, if_match=tag)
    assert refused == (412, 10)
