"""Feature flags and their variations: parameters, and what overrides them."""

from dataclasses import replace
from typing import Any

import pytest

from allotment.change.commands import SetVariations
from tenant import PARAMETERS, Tenant, halves

EVERY_TYPE = {
    "text": {"type": "string", "value": "é"},
    "switch": {"type": "boolean", "value": True},
    "number": {"type": "number", "value": 1.5, "description": "a number"},
    "list": {"type": "array", "value": [1, "a", None, {"b": []}]},
    "tree": {"type": "object", "value": {"a": {"b": None}}},
    "a / strange.name!": {"type": "string", "value": "", "description": ""},
}


def variation(api: Tenant, flag: str, name: str, overrides: Any) -> Any:
    body = {"name": name, "overrides": overrides}
    return api.post(f"/feature-flags/{flag}/variations", body)


def test_a_flag_comes_back_as_it_was_sent(api: Tenant) -> None:
    body = {"name": "Every type", "description": "All of them", "parameters": EVERY_TYPE}
    shown = api.post("/feature-flags", body)
    assert shown == {
        "id": shown["id"],
        "name": "Every type",
        "description": "All of them",
        "type": "self",
        "status": "draft",
        "parameters": EVERY_TYPE,
        "created_at": shown["created_at"],
        "updated_at": shown["created_at"],
    }
    assert api.get(f"/feature-flags/{shown['id']}") == shown
    assert list(shown["parameters"]) == list(EVERY_TYPE), "in the order they were sent"


def test_a_new_flag_has_no_variations_though_it_has_defaults(api: Tenant) -> None:
    flag = api.post("/feature-flags", {"name": "Empty", "parameters": PARAMETERS})["id"]
    assert api.get(f"/feature-flags/{flag}/variations") == {"variations": []}
    (hidden,) = api.catalog.flags["empty"].variations
    assert (hidden.key, hidden.value) == ("defaults", '{"show":false,"style":"inline"}')
    assert api.engine.resolve("empty", "device-1").value == {"show": False, "style": "inline"}


@pytest.mark.parametrize("variations", [0, 1])
@pytest.mark.parametrize("style", ["PATCH", "POST"])
def test_a_flag_needs_two_variations_beside_its_defaults(
    api: Tenant, variations: int, style: str
) -> None:
    flag = api.post("/feature-flags", {"name": "Few", "parameters": PARAMETERS})["id"]
    for number in range(variations):
        variation(api, flag, f"Variation {number}", {})
    path = f"/feature-flags/{flag}" + ("/status" if style == "POST" else "")
    refusal = api.refused(style, path, {"status": "active"})
    assert refusal == (400, "feature_flag_requires_two_variations")


def test_a_variation_comes_back_as_it_was_sent(api: Tenant) -> None:
    flag = api.post("/feature-flags", {"name": "Every type", "parameters": EVERY_TYPE})["id"]
    overrides = {
        "number": {"value": 2},
        "list": {"value": []},
        "tree": {"value": {"a": {"b": 1}}},
    }
    body = {"name": "Other", "description": "Some of them", "overrides": overrides}
    shown = api.post(f"/feature-flags/{flag}/variations", body)
    assert shown == {
        "id": shown["id"],
        "feature_flag_id": flag,
        **body,
        "created_at": shown["created_at"],
        "updated_at": shown["created_at"],
    }
    assert api.get(f"/feature-flags/{flag}/variations/{shown['id']}") == shown
    assert api.get(f"/feature-flags/{flag}/variations") == {"variations": [shown]}


def test_overrides_that_are_sent_replace_all_there_are(api: Tenant) -> None:
    flag, (_, new) = api.flag()
    path = f"/feature-flags/{flag}/variations/{new}"
    for overrides in ({"style": {"value": "modal"}}, {}, {"show": {"value": True}}):
        assert api.patch(path, {"overrides": overrides})["overrides"] == overrides
    renamed = api.patch(path, {"name": "Newer", "description": "With a text"})
    assert (renamed["name"], renamed["overrides"]) == ("Newer", {"show": {"value": True}})
    assert "description" not in api.patch(path, {"description": None})


def test_other_defaults_reach_every_variation_that_does_not_override_them(api: Tenant) -> None:
    flag, (control, new) = api.flag()
    api.at("active", flag, [new, control], levels=None)
    parameters = {
        **PARAMETERS,
        "style": {"type": "string", "value": "modal"},
        "size": {"type": "number", "value": 3},
    }
    shown = api.patch(f"/feature-flags/{flag}", {"parameters": parameters})
    assert shown["parameters"] == parameters
    overrides = [
        one["overrides"] for one in api.get(f"/feature-flags/{flag}/variations")["variations"]
    ]
    assert overrides == [{}, {"show": {"value": True}}]
    values = [api.engine.resolve("login-box", f"device-{n}").value for n in range(50)]
    rest = {"style": "modal", "size": 3}
    assert {"show": True, **rest} in values
    assert {"show": False, **rest} in values
    assert all(value in ({"show": True, **rest}, {"show": False, **rest}) for value in values)


@pytest.mark.parametrize(
    "parameters",
    [
        {"style": {"type": "string", "value": "inline"}},
        {"show": {"type": "boolean", "value": True}},
        {"show": {"type": "string", "value": "yes"}},
    ],
    ids=["gone", "the same as the override", "of another type"],
)
def test_no_override_is_dropped_by_other_defaults(api: Tenant, parameters: Any) -> None:
    flag, _ = api.flag()
    before = api.get(f"/feature-flags/{flag}/variations")
    refusal = api.refused("PATCH", f"/feature-flags/{flag}", {"parameters": parameters})
    assert refusal == (400, "parameter_overridden")
    assert api.get(f"/feature-flags/{flag}/variations") == before


def test_a_description_of_a_parameter_goes_with_its_parameters(api: Tenant) -> None:
    flag, _ = api.flag()
    bare = {name: {**one} for name, one in PARAMETERS.items()}
    del bare["show"]["description"]
    assert api.patch(f"/feature-flags/{flag}", {"parameters": bare})["parameters"] == bare
    assert api.patch(f"/feature-flags/{flag}", {"parameters": PARAMETERS})["parameters"] == (
        PARAMETERS
    )


def test_a_patch_of_a_flag_is_one_change_or_none(api: Tenant) -> None:
    flag, _ = api.flag(active=False)
    before = api.get(f"/feature-flags/{flag}")
    api.patch(f"/feature-flags/{flag}", {"status": "archived"})
    body = {"name": "New name", "status": "active"}
    assert api.refused("PATCH", f"/feature-flags/{flag}", body)[0] == 400
    assert api.get(f"/feature-flags/{flag}")["name"] == before["name"]


def test_a_variation_that_is_allocated_stays_until_its_experiment_is_archived(
    api: Tenant,
) -> None:
    flag, (control, new) = api.flag()
    one = api.at("completed", flag, [control, new])
    path = f"/feature-flags/{flag}/variations/{new}"
    assert api.refused("DELETE", path) == (409, "variation_in_use")
    assert api.refused("DELETE", f"/feature-flags/{flag}") == (409, "feature_flag_in_use")
    api.patch(f"/experiments/{one}", {"status": "archived"})
    api.delete(path)
    api.delete(path)
    assert api.refused("GET", path) == (404, "variation_not_found")
    shown = api.get(f"/experiments/{one}")["allocations"]
    assert [item["variation_id"] for item in shown] == [control, new]
    api.delete(f"/feature-flags/{flag}")
    api.delete(f"/feature-flags/{flag}")
    assert api.refused("DELETE", path) == (404, "feature_flag_not_found")
    shown = api.get(f"/experiments/{one}")
    assert shown["feature_flag_id"] == flag
    assert "feature_flag_name" not in shown


def test_a_flag_is_in_use_by_a_draft_that_allocates_nothing_yet(api: Tenant) -> None:
    flag, _ = api.flag()
    one = api.experiment(flag)
    assert one["feature_flag_id"] == flag
    assert api.refused("DELETE", f"/feature-flags/{flag}") == (409, "feature_flag_in_use")


def test_an_archived_flag_takes_no_new_experiments(api: Tenant) -> None:
    flag, _ = api.flag()
    api.patch(f"/feature-flags/{flag}", {"status": "archived"})
    body = {"name": "Too late", "feature_flag_id": flag, "authentication_flow": "all"}
    assert api.refused("POST", "/experiments", body) == (400, "feature_flag_archived")


def test_a_variation_may_be_called_as_the_hidden_one_is(api: Tenant) -> None:
    flag, _ = api.flag()
    shown = variation(api, flag, "Defaults", {})
    assert shown in api.get(f"/feature-flags/{flag}/variations")["variations"]


def test_names_of_variations_are_unique_within_their_flag(api: Tenant) -> None:
    flag, (control, _) = api.flag()
    other, _ = api.flag("Another flag")
    taken = (409, "variation_already_exists")
    body = {"name": "new", "overrides": {}}
    assert api.refused("POST", f"/feature-flags/{flag}/variations", body) == taken
    path = f"/feature-flags/{flag}/variations/{control}"
    assert api.refused("PATCH", path, {"name": "new"}) == taken
    variation(api, flag, "newest", {})
    variation(api, other, "newest", {})


def test_a_flag_has_a_hundred_variations_at_most(api: Tenant) -> None:
    flag = api.post("/feature-flags", {"name": "Many", "parameters": PARAMETERS})["id"]
    (defaults,) = api.catalog.flags["many"].variations
    many = tuple(replace(defaults, key=f"variation-{number}") for number in range(99))
    api.apply(SetVariations("many", (defaults, *many), "defaults"))
    variation(api, flag, "The hundredth", {})
    body = {"name": "One more", "overrides": {}}
    refusal = api.refused("POST", f"/feature-flags/{flag}/variations", body)
    assert refusal == (400, "variation_limit_exceeded")


def test_a_variation_of_a_running_experiment_can_be_edited(api: Tenant) -> None:
    flag, (control, new) = api.flag()
    api.experiment(flag, halves(control, new, weights=(0, 100)))
    api.patch(
        f"/experiments/{api.get('/experiments')['experiments'][0]['id']}", {"status": "active"}
    )
    assert api.engine.resolve("login-box", "device-1").value == {"show": True, "style": "inline"}
    api.patch(
        f"/feature-flags/{flag}/variations/{new}", {"overrides": {"style": {"value": "modal"}}}
    )
    assert api.engine.resolve("login-box", "device-1").value == {"show": False, "style": "modal"}
