"""Experiments through the API: what is shown, what a PATCH changes, and what units get then."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allotment.dialects.auth0.allocations import show_items
from allotment.model.catalog import EMPTY
from allotment.model.experiment import Allocation, Experiment, Iteration, Treatment
from tenant import Tenant, halves


def test_a_draft_shows_what_both_generations_of_the_api_ask_for(api: Tenant) -> None:
    flag, (control, new) = api.flag()
    shown = api.experiment(flag, halves(control, new), description="Fewer fields")
    assert shown == {
        "id": shown["id"],
        "name": "Shorter login",
        "description": "Fewer fields",
        "feature_flag_id": flag,
        "feature_flag_name": "Login box",
        "authentication_flow": "authentication",
        "allocation_strategy": "percentage",
        "assignment_config": {"subject": "device"},
        "status": "draft",
        "is_valid": True,
        "allocations": [
            {
                "variation_id": control,
                "variation_name": "control",
                "weight": 50,
                "is_control": True,
                "variation_snapshot": None,
                "segment_snapshot": None,
            },
            {
                "variation_id": new,
                "variation_name": "new",
                "weight": 50,
                "is_control": False,
                "variation_snapshot": None,
                "segment_snapshot": None,
            },
        ],
        "editable_fields": [
            "name",
            "description",
            "authentication_flow",
            "allocations",
            "levels",
            "status",
        ],
        "feature_flag_snapshot": None,
        "current_level": None,
        "created_at": shown["created_at"],
        "updated_at": shown["created_at"],
    }


def test_least_that_a_draft_needs_is_a_name_a_flag_and_a_flow(api: Tenant) -> None:
    flag, _ = api.flag()
    shown = api.experiment(flag)
    assert (shown["allocations"], shown["allocation_strategy"]) == ([], "percentage")
    assert not shown["is_valid"]
    errors = api.post(f"/experiments/{shown['id']}/validate")["errors"]
    assert "experiment_missing_allocations" in [error["code"] for error in errors]
    assert len({error["code"] for error in errors}) == len(errors)


def test_the_strategy_is_remembered_while_there_is_nothing_to_tell_it_from(api: Tenant) -> None:
    flag, (control, new) = api.flag()
    segment = api.segment()
    one = api.experiment(flag, allocation_strategy="segment")
    assert one["allocation_strategy"] == "segment"
    items = [
        {"variation_id": new, "segment_id": segment, "is_control": False},
        {"variation_id": control, "is_fallback": True, "is_control": True},
    ]
    after = api.patch(f"/experiments/{one['id']}", {"allocations": items})
    assert after["allocation_strategy"] == "segment"
    assert after["is_valid"]
    (noun,) = api.catalog.experiments.values()
    assert "auth0/allocation_strategy" not in dict(noun.kept)


def test_a_patch_changes_what_it_gives_and_nothing_else(api: Tenant) -> None:
    flag, variations = api.flag()
    one = api.experiment(flag, halves(*variations), description="First", levels=[5, 100])
    for field, value in {
        "name": "Another name",
        "description": "Second",
        "authentication_flow": "mfa_challenge",
        "levels": [1, 2, 3],
    }.items():
        before, after = one, api.patch(f"/experiments/{one['id']}", {field: value})
        assert after == {**before, field: value, "updated_at": after["updated_at"]}
        one = after
    cleared = api.patch(f"/experiments/{one['id']}", {"description": None, "levels": None})
    assert "description" not in cleared
    assert "levels" not in cleared


def test_a_patch_is_one_change_or_none(api: Tenant) -> None:
    flag, variations = api.flag()
    one = api.experiment(flag, halves(*variations))
    revision = api.catalog.revision
    body = {"name": "New name", "allocations": halves(*variations, weights=(60, 10))}
    path = f"/experiments/{one['id']}"
    refusal = api.refused("PATCH", path, {**body, "status": "active"})
    assert refusal == (400, "experiment_invalid_allocation_weights")
    assert api.get(path) == one
    assert api.catalog.revision == revision
    body["allocations"] = halves(*variations, weights=(60, 40))
    after = api.patch(path, {**body, "status": "active"})
    assert (after["name"], after["status"]) == ("New name", "active")
    assert api.catalog.revision == revision + 1


def test_a_patch_changes_the_next_assignment(api: Tenant) -> None:
    flag, (control, new) = api.flag()
    one = api.experiment(flag, halves(control, new, weights=(100, 0)))
    units = [f"device-{number}" for number in range(400)]

    def assigned() -> list[str | None]:
        return [api.engine.assign("shorter-login", unit).treatment for unit in units]

    assert set(assigned()) == {None}
    path = f"/experiments/{one['id']}"
    api.patch(path, {"status": "active"})
    assert set(assigned()) == {"control"}
    assert {api.engine.resolve("login-box", unit).variation for unit in units} == {"control"}
    api.patch(path, {"status": "paused"})
    assert set(assigned()) == {None}
    api.patch(path, {"allocations": halves(control, new, weights=(50, 50)), "status": "active"})
    half = assigned()
    assert 140 < half.count("new") < 260
    values = [api.engine.resolve("login-box", unit).value for unit in units]
    shown = [{"show": treatment == "new", "style": "inline"} for treatment in half]
    assert values == shown
    api.patch(path, {"status": "paused"})
    api.patch(path, {"allocations": halves(control, new, weights=(40, 60)), "status": "active"})
    moves = [(one, two) for one, two in zip(half, assigned(), strict=True) if one != two]
    assert set(moves) == {("control", "new")}
    assert len(moves) < 80


def test_the_ramp_enrols_more_and_moves_nobody(api: Tenant) -> None:
    flag, (control, new) = api.flag()
    one = api.experiment(flag, halves(control, new), levels=[0, 30, 100])
    path = f"/experiments/{one['id']}"
    assert api.patch(path, {"status": "active"})["current_level"] == 0
    units = [f"device-{number}" for number in range(400)]

    def enrolled() -> dict[str, str]:
        answers = {unit: api.engine.assign("shorter-login", unit).treatment for unit in units}
        return {unit: treatment for unit, treatment in answers.items() if treatment}

    assert enrolled() == {}
    advanced = api.post(f"{path}/advance-ramp", {"target_level": 30})
    assert advanced == {
        "experiment_id": one["id"],
        "from_level": 0,
        "to_level": 30,
        "current_level": 30,
    }
    some = enrolled()
    assert 80 < len(some) < 160
    revision = api.catalog.revision
    again = api.post(f"{path}/advance-ramp", {"target_level": 30})
    assert (again["from_level"], again["to_level"]) == (30, 30)
    assert api.catalog.revision == revision, "the level it has already writes nothing"
    assert api.refused("POST", f"{path}/advance-ramp", {"target_level": 0})[0] == 400
    api.post(f"{path}/advance-ramp", {"target_level": 100})
    everyone = enrolled()
    assert len(everyone) == 400
    assert some.items() <= everyone.items()
    assert api.get(path)["current_level"] == 100


def test_levels_are_climbed_one_by_one(api: Tenant) -> None:
    flag, variations = api.flag()
    one = api.at("active", flag, variations, levels=[10, 50, 100])
    refusal = api.refused("POST", f"/experiments/{one}/advance-ramp", {"target_level": 100})
    assert refusal == (400, "experiment_ramp_level_not_next")
    assert api.get(f"/experiments/{one}")["current_level"] == 10


def test_an_experiment_without_levels_has_no_ramp(api: Tenant) -> None:
    flag, variations = api.flag()
    one = api.at("active", flag, variations, levels=None)
    assert api.get(f"/experiments/{one}")["current_level"] == 100
    refusal = api.refused("POST", f"/experiments/{one}/advance-ramp", {"target_level": 100})
    assert refusal == (409, "experiment_ramp_not_active")


def test_by_segment_the_first_match_wins_and_the_fallback_serves_the_rest(api: Tenant) -> None:
    flag, (control, new) = api.flag()
    nordics, chrome = (
        api.segment(),
        api.segment("Chrome", [{"match": {"browser": {"contains": ["Chrome"]}}}]),
    )
    extra = api.post(
        f"/feature-flags/{flag}/variations",
        {"name": "modal", "overrides": {"style": {"value": "modal"}}},
    )["id"]
    items = [
        {"variation_id": new, "segment_id": chrome, "priority": 5, "is_control": False},
        {"variation_id": extra, "segment_id": nordics, "priority": 2, "is_control": False},
        {"variation_id": control, "is_fallback": True, "priority": 9, "is_control": True},
    ]
    one = api.experiment(flag, items, allocation_strategy="segment")
    assert [item["priority"] for item in one["allocations"]] == [5, 2, 9]
    assert [item["segment_name"] for item in one["allocations"][:2]] == ["Chrome", "Nordics"]
    assert [item["is_fallback"] for item in one["allocations"]] == [False, False, True]
    api.patch(f"/experiments/{one['id']}", {"status": "active"})
    answers = {
        ("SE", "Chrome 100"): "modal",
        ("SE", "Firefox"): "modal",
        ("FR", "Chrome 100"): "new",
        ("FR", "Firefox"): "control",
    }
    for (country, browser), treatment in answers.items():
        known = {"country": country, "browser": browser}
        answer = api.engine.assign("shorter-login", "device-1", known)
        assert answer.treatment == treatment
        assert answer.is_control is (treatment == "control")
    assert api.engine.assign("shorter-login", "device-1").treatment == "control"


def test_priorities_that_are_left_out_come_after_those_that_are_given(api: Tenant) -> None:
    flag, (control, new) = api.flag()
    segments = [api.segment(f"Segment {number}") for number in range(3)]
    items = [
        {"variation_id": new, "segment_id": one, "is_control": False, **priority}
        for one, priority in zip(segments, ({}, {"priority": 3}, {}), strict=True)
    ]
    items.append({"variation_id": control, "is_fallback": True, "is_control": True})
    shown = api.experiment(flag, items, allocation_strategy="segment")["allocations"]
    assert [item.get("priority") for item in shown] == [4, 3, 5, None]


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ((33.5, 66.5), [34, 66]),
        ((0.0001, 99.9999), [0, 100]),
        ((0, 100), [0, 100]),
        ((100.0, 0.0), [100, 0]),
        ((17, 83), [17, 83]),
    ],
)
def test_weights_are_shown_as_the_nearest_whole_ones(
    api: Tenant, sent: tuple[float, float], shown: list[int]
) -> None:
    flag, (control, new) = api.flag()
    one = api.experiment(flag, halves(control, new, weights=sent))
    weights = [item["weight"] for item in one["allocations"]]
    assert weights == shown
    assert {type(weight) for weight in weights} == {int}
    assert one["is_valid"]
    before = api.catalog
    said = ("variation_id", "weight", "is_control")
    repeated = [{name: item[name] for name in said} for item in one["allocations"]]
    again = api.patch(f"/experiments/{one['id']}", {"allocations": repeated})
    assert again["allocations"] == one["allocations"]
    assert api.catalog.experiments == before.experiments


@given(
    st.lists(st.integers(0, 10**6), min_size=1, max_size=12).filter(any),
    st.integers(0, 10**6),
)
def test_shown_weights_and_their_gap_sum_to_100_and_are_the_nearest(
    parts: list[int], gap: int
) -> None:
    total = sum(parts) + gap
    weights = tuple((f"t{index}", part) for index, part in enumerate(parts))
    treatments = tuple(Treatment(key) for key, _ in weights)
    allocation = Allocation("all", weights, total)
    shown = show_items(Experiment("e", (Iteration(1, treatments, (allocation,)),)), EMPTY)
    percents = [item.weight for item in shown if item.weight is not None]
    assert {type(percent) for percent in percents} == {int}
    rest = 100 - sum(percents)
    for percent, part in zip([*percents, rest], [*parts, gap], strict=True):
        assert part * 100 - total < percent * total < part * 100 + total


def test_one_variation_can_be_allocated_more_than_once(api: Tenant) -> None:
    flag, (control, new) = api.flag()
    items = halves(control, new, new, weights=(20, 30, 50))
    one = api.experiment(flag, items)
    assert [item["variation_id"] for item in one["allocations"]] == [control, new, new]
    iteration = api.catalog.experiments["shorter-login"].current
    assert [treatment.key for treatment in iteration.treatments] == ["control", "new", "new-2"]


def test_a_draft_may_claim_several_controls_or_none_and_says_so(api: Tenant) -> None:
    flag, (control, new) = api.flag()
    items = halves(control, new)
    for claims in ((True, True), (False, False)):
        marked = [{**one, "is_control": claim} for one, claim in zip(items, claims, strict=True)]
        one = api.experiment(flag, marked, name=f"Claims {claims}")
        assert tuple(item["is_control"] for item in one["allocations"]) == claims
        errors = api.post(f"/experiments/{one['id']}/validate")["errors"]
        assert [error["code"] for error in errors] == ["experiment_missing_control"]
        mended = api.patch(f"/experiments/{one['id']}", {"allocations": items})
        assert [item["is_control"] for item in mended["allocations"]] == [True, False]
        assert mended["is_valid"]


def test_whether_an_experiment_is_valid_is_seen_when_it_is_asked(api: Tenant) -> None:
    flag, variations = api.flag(active=False)
    one = api.experiment(flag, halves(*variations))
    assert not one["is_valid"]
    validation = api.post(f"/experiments/{one['id']}/validate")
    assert validation == {
        "is_valid": False,
        "errors": [
            {
                "code": "feature_flag_not_active",
                "message": f"Feature flag {flag} is in draft status; must be active",
            }
        ],
    }
    api.patch(f"/feature-flags/{flag}", {"status": "active"})
    assert api.get(f"/experiments/{one['id']}")["is_valid"]
    assert api.post(f"/experiments/{one['id']}/validate") == {"is_valid": True, "errors": []}


def test_started_at_is_the_first_start_and_ended_at_the_end(api: Tenant) -> None:
    flag, variations = api.flag()
    one = api.at("draft", flag, variations)
    assert not {"started_at", "ended_at"} & api.get(f"/experiments/{one}").keys()
    started = api.patch(f"/experiments/{one}", {"status": "active"})["started_at"]
    for status in ("paused", "active", "completed", "archived"):
        shown = api.patch(f"/experiments/{one}", {"status": status})
        assert shown["started_at"] == started
        assert ("ended_at" in shown) is (status in ("completed", "archived"))


def test_one_experiment_is_active_at_a_time_of_those_that_carry_a_flow(api: Tenant) -> None:
    flag, variations = api.flag()
    first, second = (api.at("draft", flag, variations) for _ in range(2))
    api.patch(f"/experiments/{first}", {"status": "active"})
    limit = (400, "experiment_active_limit_exceeded")
    assert api.refused("PATCH", f"/experiments/{second}", {"status": "active"}) == limit
    assert api.refused("POST", f"/experiments/{second}/status", {"status": "active"}) == limit
    api.patch(f"/experiments/{first}", {"status": "paused"})
    api.patch(f"/experiments/{second}", {"status": "active"})
    assert api.refused("PATCH", f"/experiments/{first}", {"status": "active"}) == limit


def test_its_flag_lists_an_experiment_from_its_creation_to_its_deletion(api: Tenant) -> None:
    flag, variations = api.flag()
    ones = [api.at("draft", flag, variations) for _ in range(3)]
    listed = [item.experiment for item in api.catalog.flags["login-box"].experiments]
    assert listed == ["at-draft-1", "at-draft-2", "at-draft-3"]
    api.delete(f"/experiments/{ones[1]}")
    api.delete(f"/experiments/{ones[1]}")
    listed = [item.experiment for item in api.catalog.flags["login-box"].experiments]
    assert listed == ["at-draft-1", "at-draft-3"]


def test_a_paused_experiment_that_was_edited_amiss_cannot_be_resumed(api: Tenant) -> None:
    flag, variations = api.flag()
    one = api.at("paused", flag, variations)
    edited = api.patch(
        f"/experiments/{one}", {"allocations": halves(*variations, weights=(50, 40))}
    )
    assert not edited["is_valid"]
    refusal = api.refused("PATCH", f"/experiments/{one}", {"status": "active"})
    assert refusal == (400, "experiment_invalid_allocation_weights")


def test_a_name_can_be_had_again_once_it_is_free_and_so_can_its_id(api: Tenant) -> None:
    flag, variations = api.flag()
    one = api.experiment(flag, halves(*variations))
    salt = api.catalog.experiments["shorter-login"].current.salt
    taken = api.refused(
        "POST",
        "/experiments",
        {"name": one["name"], "feature_flag_id": flag, "authentication_flow": "all"},
    )
    assert taken == (409, "experiment_already_exists")
    api.delete(f"/experiments/{one['id']}")
    again = api.experiment(flag, halves(*variations))
    assert again["id"] == one["id"]
    assert api.catalog.experiments["shorter-login"].current.salt != salt


def test_a_renamed_experiment_keeps_its_id_and_frees_its_name(api: Tenant) -> None:
    flag, variations = api.flag()
    one = api.experiment(flag, halves(*variations))
    renamed = api.patch(f"/experiments/{one['id']}", {"name": "Longer login"})
    assert renamed["id"] == one["id"]
    other = api.experiment(flag, halves(*variations))
    assert other["id"] != one["id"]
    taken = api.refused("PATCH", f"/experiments/{other['id']}", {"name": "Longer login"})
    assert taken == (409, "experiment_already_exists")
