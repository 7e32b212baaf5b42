"""Lists of instances: pages and filters."""

from typing import Any
from urllib.parse import quote

import pytest

from workspace import INSTANCES, Workspace


def names(found: Any) -> list[str]:
    return sorted(one["displayName"] for one in found["abtests"])


def filtered(api: Workspace, text: str) -> list[str]:
    return names(api.get(f"{INSTANCES}?pageSize=50&filter={quote(text)}"))


@pytest.fixture
def three(api: Workspace) -> Workspace:
    api.segment()
    flags = {"segment": "segments/nordics"}
    api.draft(5000, 5000, displayName="One", owner="users/ada", flags=flags)
    api.live(5000, 5000, displayName="Two and more", owner='a "b" \\')
    api.move(api.live(5000, 5000, displayName="Three", flags=flags), "ended")
    return api


def test_an_empty_list_has_no_next_page(api: Workspace) -> None:
    assert api.get(INSTANCES) == {"abtests": [], "nextPageToken": ""}


def test_pages_hold_every_instance_once_and_as_it_is_shown_alone(api: Workspace) -> None:
    made = [api.draft(5000, 5000, displayName=f"Number {n}") for n in range(7)]
    token, found = "", []
    for size in (3, 3, 1):
        page = api.get(f"{INSTANCES}?pageSize=3&pageToken={token}")
        assert len(page["abtests"]) == size
        found.extend(page["abtests"])
        token = page["nextPageToken"]
    assert token == ""
    assert sorted(one["name"] for one in found) == sorted(one["name"] for one in made)
    assert all(one == api.get(f"/{one['name']}") for one in found)


def test_a_page_has_fifty_unless_it_is_said(api: Workspace) -> None:
    for number in range(51):
        api.post(INSTANCES, {"displayName": f"Number {number}"})
    for query in ("", "?pageSize=0", "?page_size=50"):
        assert len(api.get(f"{INSTANCES}{query}")["abtests"]) == 50
    assert len(api.get(f"{INSTANCES}?page_size=1000")["abtests"]) == 51


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["One", "Three", "Two and more"]),
        ("state:live", ["Two and more"]),
        (" state:draft ", ["One"]),
        ('state:"ended"', ["Three"]),
        ("state:gone", []),
        ('displayName:"Two and more"', ["Two and more"]),
        ('displayName:"Two and more" AND state:live', ["Two and more"]),
        ('displayName:"Two and more" AND state:ended', []),
        ("owner:users/ada AND state:draft AND abtest.flag:flags/button", ["One"]),
        ('owner:"a \\"b\\" \\\\"', ["Two and more"]),
        ('flags.segment:"segments/nordics"', ["One", "Three"]),
        ("flags.flag:flags/button", ["One", "Three", "Two and more"]),
        ("owner:loopback", ["Three"]),
    ],
)
def test_a_filter_is_terms_that_all_hold(three: Workspace, text: str, expected: list[str]) -> None:
    assert filtered(three, text) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("state", "state:", "live", "nothing:live", "state:live state:live", "state:live OR x:y"),
        *("NOT state:live", "(state:live)", "state:li*", "state:liv?", "state:live AND"),
        *("AND state:live", "state:live AND AND state:live", 'state:"live', "state:live~"),
        *("state:[a TO b]", "state:live&owner:x", "x" * 5000),
    ],
)
def test_a_filter_of_another_form_is_refused(three: Workspace, text: str) -> None:
    refused = three.refused("GET", f"{INSTANCES}?filter={quote(text)}")
    assert refused == (400, 3)


@pytest.mark.parametrize(
    "query",
    [
        *("pageSize=-1", "pageSize=x", "pageSize=1001", "pageSize=", "pageToken=x", "page=1"),
        *("pageSize=1&pageSize=2", "pageSize=1&page_size=2", "filter=state:live&filter=x"),
    ],
)
def test_a_page_that_is_asked_for_otherwise_is_refused(api: Workspace, query: str) -> None:
    assert api.refused("GET", f"{INSTANCES}?{query}") == (400, 3)
