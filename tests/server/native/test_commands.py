"""`/v1/commands`, `/v1/snapshot` and `/v1/journal`: any change, the whole catalog, and its past."""

from typing import Any

import httpx
import pytest

from allotment.change.commands import (
    Command,
    Create,
    Rename,
    SetEnrolment,
    SetWeights,
    StartIteration,
)
from allotment.dialects import catalogfile
from allotment.model.catalog import Catalog
from allotment.model.experiment import State
from allotment.model.plain import from_plain, to_plain
from allotment.server.sync.node import Node
from nouns import FLAG, experiment, iteration
from server.nodes import SPACE

pytestmark = pytest.mark.anyio


async def commit(client: httpx.AsyncClient, *commands: Command, **more: Any) -> httpx.Response:
    headers = more.pop("headers", {})
    body = {"commands": to_plain(commands), **more}
    return await client.post("/v1/commands", json=body, headers=headers)


async def test_commands_are_done_together_and_say_what_they_moved(
    client: httpx.AsyncClient, node: Node
) -> None:
    assert (await commit(client, Create(FLAG), Create(experiment()))).status_code == 200
    weights = SetWeights("checkout", "everyone", (("control", 30), ("green", 70)), 100)
    done = await commit(client, weights, comment="more green", dialect="test")
    assert done.status_code == 200, done.text
    moved = {"is": "Move", "experiment": "checkout", "allocation": "everyone"}
    assert done.json() == {
        "revision": 2,
        "commands": [to_plain(weights)],
        "moves": [{**moved, "moved_ppm": 200_000}],
    }
    assert done.headers["etag"] == (await client.get("/v1/snapshot")).headers["etag"]
    (entry, _) = (await client.get("/v1/journal")).json()["entries"]
    assert (entry["comment"], entry["dialect"], entry["who"]) == ("more green", "test", "loopback")
    assert (entry["commands"], entry["moves"]) == (done.json()["commands"], done.json()["moves"])
    assert node.served(SPACE).revision == 2


async def test_if_one_command_fails_none_is_done(client: httpx.AsyncClient) -> None:
    await commit(client, Create(FLAG))
    refused = await commit(client, Rename("flag", "button", "x"), Rename("flag", "none", "y"))
    assert refused.status_code == 404
    assert (refused.json()["command"], refused.headers["allotment-revision"]) == (1, "1")
    assert (await client.get("/v1/catalog/flags/button")).json().get("name") is None


async def test_a_change_may_be_tied_to_the_snapshot_it_was_made_for(
    client: httpx.AsyncClient,
) -> None:
    await commit(client, Create(FLAG))
    tag = (await client.get("/v1/snapshot")).headers["etag"]
    first = await commit(client, Rename("flag", "button", "x"), headers={"if-match": tag})
    late = await commit(client, Rename("flag", "button", "y"), headers={"if-match": tag})
    assert (first.status_code, late.status_code) == (200, 412)


async def test_a_change_may_be_tied_to_the_empty_catalog(client: httpx.AsyncClient) -> None:
    tag = {"if-match": (await client.get("/v1/snapshot")).headers["etag"]}
    first = await commit(client, Create(FLAG), headers=tag)
    late = await commit(client, Rename("flag", "button", "y"), headers=tag)
    assert (first.status_code, late.status_code) == (200, 412)


async def test_what_the_lifecycle_refuses_says_which_rule_it_was(
    client: httpx.AsyncClient,
) -> None:
    await commit(client, Create(FLAG), Create(experiment("e", iteration(State.RUNNING))))
    refused = await commit(client, StartIteration("e"))
    problem = refused.json()
    assert refused.status_code in {400, 409}
    assert problem["code"] != "invalid_change"
    assert problem["type"].endswith(problem["code"])
    assert problem["path"].startswith("$.experiments.e")


async def test_the_snapshot_is_the_whole_catalog(client: httpx.AsyncClient, node: Node) -> None:
    await commit(client, Create(FLAG), Create(experiment()))
    served = node.served(SPACE)
    answer = await client.get("/v1/snapshot")
    snapshot = answer.json()
    assert from_plain(Catalog, snapshot["catalog"]) == served.stored.catalog
    assert int(snapshot["fingerprint"], 16) == served.fingerprint
    assert (snapshot["revision"], snapshot["space"], snapshot["failures"]) == (1, SPACE, {})
    same = await client.get("/v1/snapshot", headers={"if-none-match": answer.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")


async def test_the_snapshot_is_a_catalog_file_for_whoever_prefers_that(
    client: httpx.AsyncClient, node: Node
) -> None:
    await commit(client, Create(FLAG))
    for accept in ("application/yaml", "text/html, application/yaml;q=0.9, */*;q=0.1"):
        answer = await client.get("/v1/snapshot", headers={"accept": accept})
        assert answer.headers["content-type"] == "application/yaml"
        assert answer.text == catalogfile.show(node.served(SPACE).stored.catalog)
    for accept in ("*/*", "", "application/*", "application/json, application/yaml;q=0.9"):
        answer = await client.get("/v1/snapshot", headers={"accept": accept})
        assert answer.headers["content-type"] == "application/json", accept
    assert (await client.get("/v1/snapshot", headers={"accept": "text/html"})).status_code == 406


async def test_the_snapshot_has_a_tag_for_each_form(client: httpx.AsyncClient) -> None:
    await commit(client, Create(FLAG))
    forms = ("application/json", "application/yaml")
    tags = {}
    for form in forms:
        tags[form] = (await client.get("/v1/snapshot", headers={"accept": form})).headers["etag"]
    for form in forms:
        for other in forms:
            headers = {"accept": form, "if-none-match": tags[other]}
            answer = await client.get("/v1/snapshot", headers=headers)
            assert answer.status_code == (304 if form == other else 200), (form, other)


async def test_an_earlier_revision_is_shown_as_it_was(
    client: httpx.AsyncClient, node: Node
) -> None:
    await commit(client, Create(FLAG), Create(experiment()))
    first = await client.get("/v1/snapshot")
    await commit(client, SetWeights("checkout", "everyone", (("control", 30), ("green", 70)), 100))
    again = await client.get("/v1/snapshot", params={"revision": 1})
    assert again.json() == first.json()
    tag = again.headers["etag"]
    assert tag == first.headers["etag"] == f'"1-{first.json()["lineage"]}"'
    same = {"if-none-match": tag}
    assert (await client.get("/v1/snapshot?revision=1", headers=same)).status_code == 304
    assert (await client.get("/v1/snapshot", headers=same)).status_code == 200
    assert (await client.get("/v1/snapshot?revision=0")).json()["catalog"]["is"] == "Catalog"
    assert (await client.get("/v1/snapshot?revision=3")).status_code == 404


async def test_the_journal_comes_a_page_at_a_time(client: httpx.AsyncClient) -> None:
    await commit(client, Create(FLAG))
    for n in range(5):
        await commit(client, Rename("flag", "button", f"n{n}"))
    seen: list[int] = []
    query: dict[str, int] = {"limit": 4}
    while True:
        page = (await client.get("/v1/journal", params=query)).json()
        seen += [entry["revision"] for entry in page["entries"]]
        if page["next"] is None:
            break
        query["before"] = page["next"]
    assert seen == [6, 5, 4, 3, 2, 1]


def one(command: bytes) -> bytes:
    """A body that holds one command."""
    return b'{"commands": [' + command + b"]}"


HOSTILE = {
    "NaN": one(b"NaN"),
    "Infinity": one(b"Infinity"),
    "beyond a double": one(b"1e999"),
    "5,000 digits": one(b"9" * 5_000),
    "65 bits": one(b'{"is": "SetEnrolment", "experiment": "e", "share_ppm": 18446744073709551616}'),
    "a lone surrogate": one(b'{"is": "Rename", "kind": "flag", "key": "f", "name": "\\ud800"}'),
    "a surrogate as a key": b'{"\\udfff": 1}',
    "a key twice": b'{"commands": [], "commands": []}',
    "a key twice, deeper": one(b'{"is": "Delete", "kind": "flag", "key": "a", "key": "b"}'),
    "a byte order mark": b"\xef\xbb\xbf" + b'{"commands": []}',
    "UTF-16": '{"commands": []}'.encode("utf-16"),
    "not UTF-8": b'{"commands": [], "comment": "\xff"}',
    "nested too deep": one(b"[" * 3_000 + b"]" * 3_000),
    "cut short": b'{"commands": [',
    "no object": b"[]",
    "nothing": b"",
    "white space": b" \n",
    "NUL": b'{"commands": []}\0',
    "commands that are none": b'{"commands": {"is": "Delete"}}',
    "a command that is none": one(b'{"is": "Explode"}'),
    "an unhashable command": one(b'{"is": {}}'),
    "text for a list": one(b'{"is": "SetOverrides", "experiment": "e", "overrides": "ab"}'),
    "true for a number": one(b'{"is": "SetEnrolment", "experiment": "e", "share_ppm": true}'),
    "a number for true": one(b'{"is": "SetIntake", "experiment": "e", "open": 1}'),
    "a field too many": one(b'{"is": "Delete", "kind": "flag", "key": "f", "force": true}'),
    "a field too few": one(b'{"is": "Delete", "kind": "flag"}'),
    "another policy": b'{"commands": [], "policy": "auth0"}',
    "an unknown field": b'{"commands": [], "force": true}',
    "a NUL in a name": one(
        b'{"is": "Rename", "kind": "flag", "key": "button", "name": "a\\u0000"}'
    ),
    "a comment that is none": b'{"commands": [], "comment": 1}',
    "a dialect of lines": b'{"commands": [], "dialect": "a\\nb"}',
}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("name", HOSTILE)
async def test_hostile_commands_are_refused_with_a_reason_and_do_nothing(
    client: httpx.AsyncClient, node: Node, name: str
) -> None:
    await commit(client, Create(FLAG))
    before = node.served(SPACE).stored
    answer = await client.post("/v1/commands", content=HOSTILE[name])
    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]
    assert len(answer.content) < 2_000
    assert node.served(SPACE).stored is before


async def test_a_comment_that_is_too_long_to_keep_undoes_the_change(
    client: httpx.AsyncClient,
) -> None:
    refused = await commit(client, Create(FLAG), comment="x" * 20_000)
    assert (refused.status_code, refused.json()["path"]) == (400, "$.comment")
    assert (await client.get("/v1/catalog/flags/button")).status_code == 404


async def test_a_change_to_nothing_uses_no_revision(client: httpx.AsyncClient) -> None:
    await commit(client, Create(FLAG))
    for commands in ((), (Rename("flag", "button", ""),)):
        done = await commit(client, *commands)
        assert (done.status_code, done.json()["revision"], done.json()["moves"]) == (200, 1, [])


async def test_a_share_may_be_spelled_as_in_a_catalog_file(client: httpx.AsyncClient) -> None:
    await commit(client, Create(FLAG), Create(experiment()))
    spelled = {"is": "SetEnrolment", "experiment": "checkout", "share": "12.5%"}
    done = await client.post("/v1/commands", json={"commands": [spelled]})
    assert done.status_code == 200, done.text
    assert done.json()["commands"] == [to_plain(SetEnrolment("checkout", 125_000))]
    shown = (await client.get("/v1/catalog/experiments/checkout")).json()
    assert shown["enrolment"] == "12.5%"


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"share": 0.125}, "a share is text with a percent sign"),
        ({"share": "0.125"}, "a share is text with a percent sign"),
        ({"share": "100.1%"}, "a share is 0% to 100% with at most four decimals"),
        ({"share": "12.5%", "share_ppm": 125_000}, "share and share_ppm say the same"),
        ({"share_ppm": "12.5%"}, "this is str, not int"),
        ({"sahre": "12.5%"}, "no other fields than"),
        ({}, "has the field share_ppm too"),
    ],
)
async def test_a_share_has_one_meaning(
    client: httpx.AsyncClient, said: dict[str, object], why: str
) -> None:
    await commit(client, Create(FLAG), Create(experiment()))
    spelled = {"is": "SetEnrolment", "experiment": "checkout", **said}
    refused = await client.post("/v1/commands", json={"commands": [spelled]})
    assert refused.status_code == 400
    assert why in refused.json()["detail"]
