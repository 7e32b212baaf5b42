"""The whole lifecycle, cell by cell, in the words of the API."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tenant import Tenant, halves, tenant

STATUSES = ("draft", "active", "paused", "completed", "archived")

NO_WAY = (400, "experiment_status_transition_not_allowed")
FIXED = (400, "experiment_field_not_editable")
PAUSE = (400, "experiment_requires_pause")
RUNS = (400, "experiment_is_active")
UNKNOWN = (400, "invalid_body")
NO_RAMP = (409, "experiment_ramp_not_active")

# What is asked at each status, and what is answered: the status it leads to, or a refusal.
# fmt: off
MOVES: dict[str, tuple[object, ...]] = {
    #             draft     active       paused       completed   archived
    "draft":     ("draft",  UNKNOWN,     UNKNOWN,     UNKNOWN,    UNKNOWN),
    "active":    ("active", "active",    "active",    NO_WAY,     NO_WAY),
    "paused":    (NO_WAY,   "paused",    "paused",    NO_WAY,     NO_WAY),
    "completed": (NO_WAY,   "completed", "completed", "completed", NO_WAY),
    "archived":  (NO_WAY,   NO_WAY,      NO_WAY,      "archived", "archived"),
}
OK = "ok"
EDITS: dict[str, tuple[object, ...]] = {
    #                       draft     active   paused   completed  archived
    "name":                (OK,       OK,      OK,      OK,        FIXED),
    "description":         (OK,       OK,      OK,      OK,        FIXED),
    "allocations":         (OK,       PAUSE,   OK,      FIXED,     FIXED),
    "authentication_flow": (OK,       FIXED,   FIXED,   FIXED,     FIXED),
    "levels":              (OK,       FIXED,   FIXED,   FIXED,     FIXED),
}
RAMP:   tuple[object, ...] = (NO_RAMP, OK,     NO_RAMP, NO_RAMP,   NO_RAMP)
DELETE: tuple[object, ...] = (OK,      RUNS,   OK,      OK,        OK)
# fmt: on

VALUES = {"description": "Another text", "authentication_flow": "all", "levels": [20, 100]}


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Tenant, str, list[str]]]:
    folder: Path = tmp_path_factory.mktemp("tenant")
    with tenant(folder) as api:
        yield (api, *api.flag())


@pytest.fixture
def start(office: tuple[Tenant, str, list[str]]) -> Iterator[tuple[Tenant, list[str]]]:
    """The tenant; whatever a test leaves active is completed, as one may be active at a time."""
    api, _flag, variations = office
    yield api, variations
    for left in api.get("/experiments?status=active")["experiments"]:
        api.patch(f"/experiments/{left['id']}", {"status": "completed"})


@pytest.mark.parametrize("style", ["PATCH", "POST"])
@pytest.mark.parametrize("target", STATUSES)
@pytest.mark.parametrize("here", STATUSES)
def test_each_status_leads_where_the_table_says(
    office: tuple[Tenant, str, list[str]], start: object, here: str, target: str, style: str
) -> None:
    api, flag, variations = office
    one = api.at(here, flag, variations)
    path = f"/experiments/{one}" + ("/status" if style == "POST" else "")
    expected = MOVES[target][STATUSES.index(here)]
    if isinstance(expected, str):
        before = api.get(f"/experiments/{one}")
        after = api.done(api.call(style, path, {"status": target}))
        assert after["status"] == expected
        if here == target:
            assert after == before
    else:
        assert api.refused(style, path, {"status": target}) == expected
        assert api.get(f"/experiments/{one}")["status"] == here


@pytest.mark.parametrize("field", EDITS)
@pytest.mark.parametrize("here", STATUSES)
def test_each_field_can_be_edited_where_the_table_says(
    office: tuple[Tenant, str, list[str]], start: object, here: str, field: str
) -> None:
    api, flag, variations = office
    one = api.at(here, flag, variations)
    values = {
        **VALUES,
        "name": f"Renamed while {here}",
        "allocations": halves(*variations, weights=(90, 10)),
    }
    expected = EDITS[field][STATUSES.index(here)]
    before = api.get(f"/experiments/{one}")
    assert (field in before["editable_fields"]) is (expected == OK)
    if expected == OK:
        after = api.patch(f"/experiments/{one}", {field: values[field]})
        if field == "allocations":
            assert [item["weight"] for item in after["allocations"]] == [90, 10]
        else:
            assert after[field] == values[field]
    else:
        assert api.refused("PATCH", f"/experiments/{one}", {field: values[field]}) == expected
        assert api.get(f"/experiments/{one}") == before


@pytest.mark.parametrize("here", STATUSES)
def test_what_is_so_already_may_be_sent_at_any_status(
    office: tuple[Tenant, str, list[str]], start: object, here: str
) -> None:
    api, flag, variations = office
    one = api.at(here, flag, variations, description="As it is")
    before = api.get(f"/experiments/{one}")
    fields = (*EDITS, "assignment_config")
    sent = {field: before[field] for field in fields}
    said = ("variation_id", "weight", "is_control")
    sent["allocations"] = [{name: item[name] for name in said} for item in before["allocations"]]
    assert api.patch(f"/experiments/{one}", sent) == before


@pytest.mark.parametrize("here", STATUSES)
def test_the_ramp_advances_while_active_only(
    office: tuple[Tenant, str, list[str]], start: object, here: str
) -> None:
    api, flag, variations = office
    one = api.at(here, flag, variations)
    path, expected = f"/experiments/{one}/advance-ramp", RAMP[STATUSES.index(here)]
    if expected == OK:
        assert api.post(path, {"target_level": 50})["current_level"] == 50
    else:
        assert api.refused("POST", path, {"target_level": 50}) == expected


@pytest.mark.parametrize("here", STATUSES)
def test_everything_but_an_active_experiment_can_be_deleted(
    office: tuple[Tenant, str, list[str]], start: object, here: str
) -> None:
    api, flag, variations = office
    one = api.at(here, flag, variations)
    path, expected = f"/experiments/{one}", DELETE[STATUSES.index(here)]
    if expected == OK:
        api.delete(path)
        assert api.refused("GET", path) == (404, "experiment_not_found")
    else:
        assert api.refused("DELETE", path) == expected


FLAG_STATUSES = ("draft", "active", "archived")
NO_FLAG_WAY = (400, "feature_flag_status_transition_not_allowed")
FLAG_MOVES: dict[str, tuple[object, ...]] = {
    "draft": ("draft", NO_FLAG_WAY, NO_FLAG_WAY),
    "active": ("active", "active", NO_FLAG_WAY),
    "archived": ("archived", "archived", "archived"),
}


@pytest.mark.parametrize("style", ["PATCH", "POST"])
@pytest.mark.parametrize("target", FLAG_STATUSES)
@pytest.mark.parametrize("here", FLAG_STATUSES)
def test_each_status_of_a_flag_leads_where_the_table_says(
    office: tuple[Tenant, str, list[str]], here: str, target: str, style: str
) -> None:
    api = office[0]
    flag, _ = api.flag(f"Flag {here} {target} {style}", active=here == "active")
    if here == "archived":
        api.patch(f"/feature-flags/{flag}", {"status": "archived"})
    path = f"/feature-flags/{flag}" + ("/status" if style == "POST" else "")
    expected = FLAG_MOVES[target][FLAG_STATUSES.index(here)]
    if isinstance(expected, str):
        assert api.done(api.call(style, path, {"status": target}))["status"] == expected
    else:
        assert api.refused(style, path, {"status": target}) == expected
