"""Treatments: which is which, which is the control, and what is kept of each."""

from typing import Any

import pytest

from allotment.model.experiment import Treatment
from workspace import INSTANCES, Workspace, arms

BLUE, GREEN, RED = arms(0, 0, 0)


def made(api: Workspace, *items: Any) -> Any:
    body = {"displayName": "Treated", "abtest": {"treatments": [*items]}}
    return api.post(INSTANCES, body)


def replaced(api: Workspace, instance: Any, *items: Any) -> Any:
    return api.update(instance, {"abtest": {"treatments": [*items]}})


def treatments(api: Workspace) -> tuple[Treatment, ...]:
    return api.catalog.experiments["treated"].current.treatments


@pytest.mark.parametrize(
    ("items", "control"),
    [
        ([GREEN, BLUE], "blue"),
        ([BLUE, GREEN], "blue"),
        ([RED, GREEN], "red"),
        ([], None),
    ],
)
def test_the_control_sets_the_flag_s_default_or_comes_first(
    api: Workspace, items: Any, control: str | None
) -> None:
    made(api, *items)
    assert api.catalog.experiments["treated"].current.control == control


def test_the_control_stays_the_control_as_long_as_it_is_there(api: Workspace) -> None:
    instance = made(api, RED, GREEN)
    replaced(api, instance, BLUE, GREEN, RED)
    assert api.catalog.experiments["treated"].current.control == "red"
    replaced(api, instance, GREEN, BLUE)
    assert api.catalog.experiments["treated"].current.control == "blue"


def test_a_treatment_is_known_again_by_its_name(api: Workspace) -> None:
    first, second = {**BLUE, "name": "one"}, {**BLUE, "name": "Two!"}
    instance = made(api, first, second)
    assert [one.key for one in treatments(api)] == ["one", "two"]
    assert [one["name"] for one in instance["abtest"]["treatments"]] == ["one", "Two!"]
    replaced(api, instance, second, {**first, "variant": GREEN["variant"]})
    assert treatments(api) == (
        Treatment("two", sets=(("button", "blue"),)),
        Treatment("one", sets=(("button", "green"),)),
    )


def test_a_treatment_without_a_name_is_known_again_by_its_variant(api: Workspace) -> None:
    instance = made(api, {**BLUE, "name": "one"}, {**GREEN, "name": "two"})
    shown = replaced(api, instance, GREEN, RED, BLUE)
    assert [one.key for one in treatments(api)] == ["two", "red", "one"]
    assert [one["name"] for one in shown["abtest"]["treatments"]] == ["two", "red", "one"]


def test_a_new_treatment_takes_no_key_of_another(api: Workspace) -> None:
    made(api, {**BLUE, "name": "green"}, GREEN, {**RED, "name": "green"})
    assert [one.key for one in treatments(api)] == ["green", "green-2", "green-3"]


def test_labels_and_what_is_for_people_come_back(api: Workspace) -> None:
    said = {"displayName": "As it is", "description": "Blue", "imageUri": "https://example.com/b"}
    instance = made(api, {**BLUE, **said, "weight": "7"}, GREEN)
    first, second = instance["abtest"]["treatments"]
    assert first == {**BLUE, **said, "name": "blue", "weight": 7}
    assert second == {**GREEN, "name": "green", "weight": 0}
    assert treatments(api)[0].name == "As it is"
    shown = replaced(api, instance, {**BLUE, "name": "blue"}, GREEN)
    assert shown["abtest"]["treatments"][0] == {**BLUE, "name": "blue", "weight": 0}


def test_a_draft_may_lack_variants_and_weights(api: Workspace) -> None:
    instance = made(api, {}, {"name": "b", "variant": ""})
    assert instance["abtest"] == {
        "treatments": [{"name": "treatment", "weight": 0}, {"name": "b", "weight": 0}]
    }
    shown = replaced(api, instance, {"name": "b", **GREEN})
    assert shown["abtest"]["flag"] == "flags/button"
