"""Nouns over HTTP, as the catalog file spells them: put, got, listed, removed, on conditions."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from allotment.change.commands import Describe
from allotment.model.limits import CONDITION_DEPTH_MAX
from allotment.server.sync.node import Node
from allotment.store import Committed, Store
from server.nodes import calling, running

pytestmark = pytest.mark.anyio

FLAG = {"default": "off", "variations": {"off": False, "on": True}}


def experiment(control: int = 50, state: str = "running") -> dict[str, object]:
    return {
        "state": state,
        "treatments": {
            "control": {"control": True, "sets": {"button": "off"}},
            "on": {"sets": {"button": "on"}},
        },
        "allocations": [{"weights": {"control": control, "on": 100 - control}}],
    }


def revision_of(answer: httpx.Response) -> int:
    return int(answer.headers["etag"].strip('"').partition("-")[0])


async def test_a_noun_that_is_put_is_got_as_it_was_put(client: httpx.AsyncClient) -> None:
    put = await client.put("/v1/catalog/flags/button", json=FLAG)
    assert (put.status_code, put.json()) == (201, FLAG)
    got = await client.get("/v1/catalog/flags/button")
    assert (got.status_code, got.json()) == (200, FLAG)
    assert got.headers["etag"] == put.headers["etag"]
    assert revision_of(put) == 1
    assert got.headers["allotment-revision"] == "1"
    again = await client.put("/v1/catalog/flags/button", json={**FLAG, "name": "Button"})
    assert (again.status_code, revision_of(again)) == (200, 2)


async def test_what_is_put_is_assigned_from_the_moment_it_is_answered(
    client: httpx.AsyncClient, node: Node
) -> None:
    await client.put("/v1/catalog/flags/button", json=FLAG)
    for round_ in range(20):
        on = 10 * (round_ % 10)
        put = await client.put(
            "/v1/catalog/experiments/checkout",
            json=experiment(control=100 - on),
        )
        assert put.status_code in {200, 201}, put.text
        served = node.served("default/production")
        assert served.revision == int(put.headers["allotment-revision"])
        given = [served.engine.assign("checkout", f"unit-{n}").treatment for n in range(400)]
        assert abs(given.count("on") / 4 - on) < 8


async def test_every_kind_of_noun_goes_out_as_it_came_in(client: httpx.AsyncClient) -> None:
    nouns = {
        "flags/button": FLAG,
        "segments/nordics": {"rules": [{"attribute": "country", "in": ["SE", "NO"]}]},
        "holdouts/few": {"share": "5%"},
        "experiments/checkout": experiment(),
        "layers/page": {"reservations": {"checkout": "20%"}},
    }
    for path, noun in nouns.items():
        put = await client.put(f"/v1/catalog/{path}", json=noun)
        assert put.status_code == 201, put.text
        got = (await client.get(f"/v1/catalog/{path}")).json()
        again = await client.put(f"/v1/catalog/{path}", json=got)
        assert (again.status_code, again.json()) == (200, got), path
        assert again.headers["allotment-revision"] == put.headers["allotment-revision"]
        listed = (await client.get(f"/v1/catalog/{path.partition('/')[0]}")).json()
        assert listed[path.partition("/")[0]] == {path.partition("/")[2]: got}


async def test_a_list_comes_a_page_at_a_time(client: httpx.AsyncClient) -> None:
    for n in range(5):
        await client.put(f"/v1/catalog/flags/f{n}", json=FLAG)
    seen: list[str] = []
    after: str | None = ""
    while after is not None:
        page = (await client.get("/v1/catalog/flags", params={"limit": 2, "after": after})).json()
        seen += page["flags"]
        after = page["next"]
    assert seen == ["f0", "f1", "f2", "f3", "f4"]


async def test_a_noun_that_is_in_use_stays_and_one_that_is_not_goes(
    client: httpx.AsyncClient,
) -> None:
    await client.put("/v1/catalog/flags/button", json=FLAG)
    await client.put("/v1/catalog/experiments/checkout", json=experiment(state="draft"))
    refused = await client.delete("/v1/catalog/flags/button")
    assert refused.status_code == 409, refused.text
    assert (await client.delete("/v1/catalog/experiments/checkout")).status_code == 204
    gone = await client.delete("/v1/catalog/flags/button")
    assert (gone.status_code, gone.content) == (204, b"")
    assert (await client.get("/v1/catalog/flags/button")).status_code == 404
    assert (await client.delete("/v1/catalog/flags/button")).status_code == 404


@pytest.mark.parametrize("state", ["running", "paused"])
async def test_no_native_way_archives_a_flag_under_what_is_not_over(
    client: httpx.AsyncClient, state: str
) -> None:
    flag, away = "/v1/catalog/flags/button", {**FLAG, "state": "archived"}
    assert (await client.put(flag, json=FLAG)).status_code == 201
    one = "/v1/catalog/experiments/checkout"
    assert (await client.put(one, json=experiment(state=state))).status_code == 201
    switch = {"commands": [{"is": "SwitchFlag", "flag": "button", "state": "archived"}]}
    put = await client.put(flag, json=away)
    for refused in (put, await client.post("/v1/commands", json=switch)):
        problem = refused.json()
        assert (refused.status_code, problem["code"]) == (400, "flag_in_use"), problem
        assert problem["path"] == "$.flags.button"
    assert (await client.get(flag)).json() == FLAG
    assert (await client.put(one, json=experiment(state="stopped"))).status_code == 200
    assert (await client.put(flag, json=away)).json()["state"] == "archived"
    again = await client.put(one, json=experiment())
    assert again.status_code == 400, again.text


async def test_what_the_client_has_already_is_not_sent_again(client: httpx.AsyncClient) -> None:
    own = (await client.put("/v1/catalog/flags/button", json=FLAG)).headers["etag"]
    for tag in (own, f"W/{own}", "*", f'"7", {own}'):
        answer = await client.get("/v1/catalog/flags/button", headers={"if-none-match": tag})
        assert (answer.status_code, answer.content) == (304, b""), tag
        assert answer.headers["etag"] == own
    for tag in ('"1"', own.replace("1-", "2-"), own.replace("1-", "01-")):
        answer = await client.get("/v1/catalog/flags/button", headers={"if-none-match": tag})
        assert answer.status_code == 200, tag


async def test_a_change_on_a_condition_is_made_only_while_it_holds(
    client: httpx.AsyncClient,
) -> None:
    async def put(name: str, **headers: str) -> httpx.Response:
        noun = {**FLAG, "name": name}
        return await client.put("/v1/catalog/flags/button", json=noun, headers=headers)

    names = {"if_match": "if-match", "if_none_match": "if-none-match"}

    async def status(name: str, **headers: str) -> int:
        return (await put(name, **{names[k]: v for k, v in headers.items()})).status_code

    async def tag() -> str:
        return str((await client.get("/v1/catalog/flags/button")).headers["etag"])

    assert await status("a", if_match='"1"') == 412  # it is not there yet
    assert await status("a", if_match="*") == 412
    assert await status("a", if_none_match="*") == 201
    first = await tag()
    assert await status("b", if_none_match="*") == 412  # it is there by now
    assert await status("b", if_match=first.replace("1-", "2-")) == 412
    assert await status("b", if_match='"1"') == 412  # a number alone says too little
    assert await status("b", if_match=f"W/{first}") == 412  # and so does a weak tag
    assert await status("b", if_match=f'"9", {first}') == 200
    assert await status("c", if_match="*") == 200
    assert await status("d", if_match="1") == 400
    assert (await client.get("/v1/catalog/flags/button")).json()["name"] == "c"
    third = await tag()
    assert await status("c", if_match=third) == 200  # nothing changes: no revision is used
    assert await tag() == third


async def test_the_same_number_of_another_history_is_another_version(tmp_path: Path) -> None:
    """As after a failover that lost commits: what a client read is gone, its number is not."""
    path = "/v1/catalog/flags/button"
    tags = {}
    for history in ("lost", "found"):
        async with running(str(tmp_path / f"{history}.db")) as node, calling(node) as client:
            put = await client.put(path, json={**FLAG, "name": history})
            whole = await client.get("/v1/snapshot")
            assert (put.status_code, revision_of(put)) == (201, 1)
            for tag in tags.get("lost", ()):
                mine = {"if-match": tag}
                late = await client.put(path, json={**FLAG, "name": "mine"}, headers=mine)
                assert late.status_code == 412
                late = await client.post("/v1/commands", json={"commands": []}, headers=mine)
                assert late.status_code == 412
            tags[history] = (put.headers["etag"], whole.headers["etag"])


async def test_of_a_thousand_changes_for_one_version_exactly_one_is_made(
    client: httpx.AsyncClient, node: Node
) -> None:
    made = await client.put("/v1/catalog/flags/button", json=FLAG)
    answers = await asyncio.gather(
        *(
            client.put(
                "/v1/catalog/flags/button",
                json={**FLAG, "name": f"n{n}"},
                headers={"if-match": made.headers["etag"]},
            )
            for n in range(1_000)
        )
    )
    statuses = [answer.status_code for answer in answers]
    assert (statuses.count(200), statuses.count(412)) == (1, 999)
    won = next(answer for answer in answers if answer.status_code == 200)
    got = await client.get("/v1/catalog/flags/button")
    assert (got.json(), revision_of(got)) == (won.json(), 2)
    assert node.served("default/production").revision == 2


async def test_changes_of_different_nouns_do_not_meet(client: httpx.AsyncClient) -> None:
    made = [await client.put(f"/v1/catalog/flags/f{n}", json=FLAG) for n in range(20)]
    answers = await asyncio.gather(
        *(
            client.put(
                f"/v1/catalog/flags/f{n}",
                json={**FLAG, "name": "x"},
                headers={"if-match": made[n].headers["etag"]},
            )
            for n in range(20)
        )
    )
    assert {answer.status_code for answer in answers} == {200}
    assert sorted(map(revision_of, answers)) == [*range(21, 41)]


async def test_a_put_replaces_whole_what_another_process_changed_just_before(
    client: httpx.AsyncClient, node: Node, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process describes the flag just before the put is built: the put replaces that."""
    await client.put("/v1/catalog/flags/button", json=FLAG)
    change, other, done = Store.change, Store.open(database), []

    def overtaken(store: Store, *asked: Any, **more: Any) -> dict[str, Committed]:
        if store is not other and not done:
            done.append(True)
            described = [Describe("flag", "button", "by another")]
            other.commit(described, who="other", when=datetime.now(UTC), dialect="test")
        return change(store, *asked, **more)

    monkeypatch.setattr(Store, "change", overtaken)
    put = await client.put("/v1/catalog/flags/button", json={**FLAG, "name": "mine"})
    other.close()
    assert done
    assert (put.status_code, put.json()) == (200, {**FLAG, "name": "mine"})
    assert revision_of(put) == 3


async def test_a_condition_may_be_as_deep_as_the_catalog_allows(
    client: httpx.AsyncClient,
) -> None:
    rule: dict[str, object] = {"attribute": "country", "equals": "SE"}
    for _ in range(CONDITION_DEPTH_MAX - 1):
        rule = {"all": [rule]}
    put = await client.put("/v1/catalog/segments/deep", json={"rules": [rule]})
    assert (put.status_code, put.json()) == (201, {"rules": [rule]})
    commands = (await client.get("/v1/journal")).json()["entries"][0]["commands"]
    await client.delete("/v1/catalog/segments/deep")
    again = await client.post("/v1/commands", json={"commands": commands})
    assert again.status_code == 200, again.text
