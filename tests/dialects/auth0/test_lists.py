"""Lists: filters that match exactly, pages, and what stands behind conditions."""

import asyncio
from typing import Any

from allotment.dialects.auth0.fields import TAKE, TAKE_MAX
from tenant import PARAMETERS, Tenant, halves


def ids(api: Tenant, path: str) -> list[str]:
    """The ids on all pages."""
    found: list[str] = []
    token: str | None = None
    name = path.strip("/").partition("?")[0].replace("-", "_")
    while True:
        join = "&" if "?" in path else "?"
        page = api.get(path + (f"{join}from={token}" if token else ""))
        found += [one["id"] for one in page[name]]
        token = page.get("next")
        if token is None:
            return found


def test_filters_match_exactly(api: Tenant) -> None:
    flag, variations = api.flag()
    other, others = api.flag("Another flag")
    made = {
        status: api.at(status, flag, variations, authentication_flow="password_reset")
        for status in ("draft", "paused", "completed", "archived", "active")
    }
    alone = api.at("draft", other, others)
    for status, one in made.items():
        expected = {one, alone} if status == "draft" else {one}
        assert set(ids(api, f"/experiments?status={status}")) == expected
    hidden = {made["archived"]}
    assert set(ids(api, "/experiments")) == {*made.values(), alone} - hidden
    assert set(ids(api, f"/experiments?feature_flag_id={flag}")) == {*made.values()} - hidden
    assert ids(api, f"/experiments?feature_flag_id={other}") == [alone]
    assert ids(api, "/experiments?feature_flag_id=flg_unknown") == []
    assert ids(api, "/experiments?authentication_flow=authentication") == [alone]
    assert ids(api, "/experiments?authentication_flow=auth") == []
    both = f"/experiments?authentication_flow=password_reset&feature_flag_id={other}"
    assert ids(api, both) == []
    assert set(ids(api, "/feature-flags?status=active")) == {flag, other}
    assert ids(api, "/feature-flags?status=archived") == []
    assert ids(api, "/feature-flags?type=auth0") == []
    assert len(ids(api, "/feature-flags?type=self")) == 2
    segment = api.segment()
    assert ids(api, "/segments?type=self") == [segment]
    assert ids(api, "/segments?type=auth0") == []


def test_a_page_has_as_many_as_are_asked_for_and_25_by_default(api: Tenant) -> None:
    made = [
        api.post("/feature-flags", {"name": f"Flag {number}", "parameters": PARAMETERS})["id"]
        for number in range(TAKE + 2)
    ]
    page = api.get("/feature-flags")
    assert len(page["feature_flags"]) == TAKE == 25
    assert len(api.get("/feature-flags?take=1")["feature_flags"]) == 1
    assert "next" not in api.get(f"/feature-flags?take={TAKE_MAX}")
    assert sorted(ids(api, "/feature-flags")) == sorted(made)
    assert ids(api, "/feature-flags?take=1") == ids(api, "/feature-flags")


def test_a_list_shows_each_as_it_is_shown_alone(api: Tenant) -> None:
    flag, variations = api.flag()
    one = api.at("active", flag, variations)
    segment = api.segment()
    assert api.get("/experiments")["experiments"] == [api.get(f"/experiments/{one}")]
    assert api.get("/feature-flags")["feature_flags"] == [api.get(f"/feature-flags/{flag}")]
    assert api.get("/segments")["segments"] == [api.get(f"/segments/{segment}")]
    path = f"/feature-flags/{flag}/variations"
    assert api.get(path)["variations"] == [api.get(f"{path}/{each}") for each in variations]


def tag(api: Tenant, path: str) -> str:
    return str(api.call("GET", path).headers["etag"])


def test_a_change_for_an_earlier_version_is_refused(api: Tenant) -> None:
    flag, (control, new) = api.flag()
    one = api.experiment(flag, halves(control, new))["id"]
    segment = api.segment()
    bodies: dict[str, Any] = {
        f"/experiments/{one}": {"description": "Text {}"},
        f"/feature-flags/{flag}": {"description": "Text {}"},
        f"/feature-flags/{flag}/variations/{new}": {"description": "Text {}"},
        f"/segments/{segment}": {"description": "Text {}"},
    }
    for path in bodies:
        was = tag(api, path)
        first = api.call("PATCH", path, {"description": "First"}, if_match=was)
        assert first.status_code == 200
        assert first.headers["etag"] == tag(api, path) != was
        refusal = api.refused("PATCH", path, {"description": "Second"}, if_match=was)
        assert refusal == (412, "precondition_failed")
        assert api.refused("DELETE", path, if_match=was) == (412, "precondition_failed")
        assert api.get(path)["description"] == "First"
    versions = {
        tag(api, f"/feature-flags/{flag}{path}").partition(".")[0]
        for path in ("", "/variations", f"/variations/{control}")
    }
    assert len(versions) == 1, "a variation's version is its flag's"


def test_what_the_client_has_already_is_not_sent_again(api: Tenant) -> None:
    flag, (control, new) = api.flag()
    one = api.experiment(flag, halves(control, new))["id"]
    segment = api.segment()
    experiment = f"/experiments/{one}"
    own = f"/feature-flags/{flag}"
    for path in (
        experiment,
        own,
        f"{own}/variations",
        f"{own}/variations/{new}",
        f"/segments/{segment}",
    ):
        has = tag(api, path)
        for sent in (has, f"W/{has}", f'"1", {has}', "*"):
            answer = api.call("GET", path, if_none_match=sent)
            assert (answer.status_code, answer.content) == (304, b""), (path, sent)
            assert answer.headers["etag"] == has
        for sent in ('"1"', has.replace(".", ".0"), f'{has.partition(".")[0]}"'):
            assert api.call("GET", path, if_none_match=sent).status_code == 200, (path, sent)


def test_what_an_experiment_shows_of_its_flag_is_sent_when_it_has_changed(api: Tenant) -> None:
    flag, (control, new) = api.flag()
    path = f"/experiments/{api.experiment(flag, halves(control, new))['id']}"
    has = tag(api, path)
    api.patch(f"/feature-flags/{flag}", {"name": "Another name"})
    answer = api.call("GET", path, if_none_match=has)
    assert (answer.status_code, answer.json()["feature_flag_name"]) == (200, "Another name")
    changed = api.call("PATCH", path, {"description": "Text"}, if_match=has)
    assert changed.status_code == 200, "the experiment itself has not changed since"


def test_a_weak_tag_is_refused_for_what_it_is(api: Tenant) -> None:
    flag, variations = api.flag()
    path = f"/experiments/{api.at('draft', flag, variations)}"
    has = tag(api, path)
    refused = api.call("PATCH", path, {"description": "Text"}, if_match=f"W/{has}")
    assert refused.status_code == 412
    assert "weak" in refused.json()["message"]
    assert "changed" not in refused.json()["message"]
    api.patch(path, {"description": "Text"})
    stale = api.call("PATCH", path, {"description": "More"}, if_match=f"W/{has}")
    assert "changed" in stale.json()["message"]


def test_of_many_changes_for_one_version_one_is_made(api: Tenant) -> None:
    flag, variations = api.flag()
    path = f"/experiments/{api.at('draft', flag, variations)}"
    was = tag(api, path)

    async def race() -> list[int]:
        sent = (
            api.ask("PATCH", path, {"name": f"Racer {number}"}, if_match=was)
            for number in range(40)
        )
        return [answer.status_code for answer in await asyncio.gather(*sent)]

    statuses = api.run(race())
    assert sorted(set(statuses)) == [200, 412]
    assert statuses.count(200) == 1


def test_a_request_that_comes_again_is_answered_again_and_done_once(api: Tenant) -> None:
    flag, (control, new) = api.flag()
    body = {
        "name": "Sent twice",
        "feature_flag_id": flag,
        "authentication_flow": "all",
        "allocations": halves(control, new),
    }
    first, second = (
        api.call("POST", "/experiments", body, idempotency_key="a key") for _ in range(2)
    )
    assert first.status_code == second.status_code == 201
    assert first.json() == second.json()
    another = {**body, "name": "Another body"}
    refusal = api.refused("POST", "/experiments", another, idempotency_key="a key")
    assert refusal == (422, "idempotency_key_reused")
    assert api.refused("POST", "/experiments", body) == (409, "experiment_already_exists")
