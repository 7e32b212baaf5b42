"""Who may call: scopes, spaces, tokens that end, and everybody where that is declared."""

import asyncio
import hashlib
import threading
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from allotment.change.commands import Command
from allotment.errors import AllotmentError, Forbidden, InvalidInput, StoreError, Unauthorized
from allotment.server.auth.access import Access, reaches
from allotment.server.auth.new_token import minted
from allotment.server.sync.follower import log_changes
from allotment.server.sync.node import Node
from allotment.store import Scope, Store, Stored, Token
from server.nodes import calling, until

pytestmark = pytest.mark.anyio

NOW = 1_800_000_000.0


@pytest.fixture
def database(tmp_path: Path) -> str:
    """Any database will do."""
    return str(tmp_path / "allotment.db")


def token(text: str, scope: Scope = Scope.READ, space: str = "*/*", **more: int) -> Token:
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Token(f"id-{text}", digest, scope, space, text, 0, **more)


def access(*tokens: Token) -> Access:
    return Access(tokens, lambda: NOW)


def call(
    who: Access, authorization: str | None, needs: Scope = Scope.READ, space: str | None = None
) -> tuple[str, str]:
    raw = None if authorization is None else authorization.encode()
    caller = who.caller(raw, None if space is None else space.encode(), needs)
    return caller.who, caller.space


def test_a_token_is_taken_with_bearer_and_without() -> None:
    who = access(token("t"))
    for spelled in ("Bearer t", "bearer t", "BEARER   t ", "t", " t"):
        assert call(who, spelled)[0] == "id-t"
    for spelled in (None, "", "Bearer", "Bearer ", "Basic t", "Bearer u", "Bearert", "t t"):
        with pytest.raises(Unauthorized):
            call(who, spelled)


def test_a_scope_covers_those_before_it_and_no_other() -> None:
    order = list(Scope)
    for have in order:
        who = access(token("t", have))
        for needs in order:
            if order.index(have) >= order.index(needs):
                call(who, "t", needs)
            else:
                with pytest.raises(Forbidden):
                    call(who, "t", needs)


def test_a_token_ends_when_it_expires_or_is_revoked() -> None:
    ms = round(NOW * 1000)
    call(access(token("t", expires_at=ms + 1)), "t")
    for ended in (token("t", expires_at=ms), token("t", revoked_at=1)):
        with pytest.raises(Unauthorized):
            call(access(ended), "t")


def test_a_token_ends_between_two_calls_that_are_alike() -> None:
    clock = [NOW]
    who = Access([token("t", expires_at=round(NOW * 1000) + 1)], lambda: clock[0])
    call(who, "t")
    clock[0] += 1
    with pytest.raises(Unauthorized):
        call(who, "t")


@pytest.mark.parametrize(
    ("pattern", "named", "space"),
    [
        ("*/*", None, "default/production"),
        ("acme/*", None, "acme/production"),
        ("*/staging", None, "default/staging"),
        ("acme/staging", None, "acme/staging"),
        ("*/*", "acme/staging", "acme/staging"),
        ("acme/*", "acme/staging", "acme/staging"),
        ("acme/staging", "acme/staging", "acme/staging"),
        ("acme/*", "other/staging", Forbidden),
        ("acme/staging", "acme/production", Forbidden),
        ("*/staging", "acme/production", Forbidden),
        ("*/*", "acme", InvalidInput),
        ("*/*", "acme/", InvalidInput),
        ("*/*", "acme/a/b", InvalidInput),
        ("*/*", "*/*", InvalidInput),
        ("*/*", "acme/é", InvalidInput),
    ],
)
def test_a_token_reaches_the_spaces_of_its_pattern(
    pattern: str, named: str | None, space: str | type[AllotmentError]
) -> None:
    who = access(token("t", space=pattern))
    if isinstance(space, str):
        assert call(who, "t", space=named)[1] == space
    else:
        with pytest.raises(space):
            call(who, "t", space=named)


@pytest.mark.parametrize("tokens", [[], [token("t")], [token("t", revoked_at=1)]])
def test_without_a_token_nothing_is_open_unless_that_is_declared(tokens: list[Token]) -> None:
    for needs in Scope:
        with pytest.raises(Unauthorized):
            access(*tokens).caller(None, None, needs)
        declared = Access(tokens, lambda: NOW, insecure_local=True)
        caller = declared.caller(None, b"acme/staging", needs)
        assert (caller.who, caller.scope) == ("loopback", Scope.ADMIN)
        assert (caller.space, caller.reach) == ("acme/staging", "*/*")
        with pytest.raises(Unauthorized):  # what is sent has to hold
            declared.caller(b"Bearer u", None, needs)


@pytest.mark.parametrize("insecure_local", [False, True])
def test_every_call_is_refused_before_the_tokens_are_known(insecure_local: bool) -> None:
    unknown = Access(None, lambda: NOW, insecure_local=insecure_local)
    with pytest.raises(StoreError):
        unknown.caller(None, None, Scope.ASSIGN)


def test_a_pattern_reaches_what_lies_within_it() -> None:
    assert reaches("*/*", "*/*")
    assert reaches("acme/*", "acme/*")
    assert reaches("acme/*", "acme/x")
    assert not reaches("acme/*", "*/*")
    assert not reaches("acme/x", "acme/*")
    assert not reaches("acme/x", "acme")


def test_a_token_that_is_minted_is_known_by_its_digest_only() -> None:
    made, text = minted(Scope.READ, "*/*", "mine", secret="s" * 43, now=5, who="me")
    assert made.digest == hashlib.sha256(text.encode()).hexdigest()
    assert "s" * 43 not in repr(made)
    assert (made.created_at, made.expires_at, made.revoked_at) == (5, None, None)


# Over HTTP.


@pytest.fixture
async def admin(node: Node) -> AsyncIterator[httpx.AsyncClient]:
    """A client with the first token there is, which reaches everything."""
    async with calling(node) as client:
        made = await client.post("/v1/tokens", json={"scope": "admin", "space": "*/*"})
        assert made.status_code == 201, made.text
        text = made.json()["token"]
    async with calling(node, authorization=f"Bearer {text}") as client:
        yield client


async def test_a_token_is_shown_once_and_holds_until_it_is_revoked(
    node: Node, admin: httpx.AsyncClient
) -> None:
    made = await admin.post("/v1/tokens", json={"scope": "read", "name": "ci", "days": 2})
    assert (made.status_code, made.headers["cache-control"]) == (201, "no-store")
    text = made.json()["token"]
    listed = await admin.get("/v1/tokens")
    assert text not in listed.text
    shown = next(each for each in listed.json()["tokens"] if each["name"] == "ci")
    assert shown == {key: value for key, value in made.json().items() if key != "token"}
    async with calling(node, authorization=text) as reader:
        assert (await reader.get("/v1/catalog/flags")).status_code == 200
        assert (await reader.put("/v1/catalog/flags/x", json={})).status_code == 403
        assert (await admin.delete(f"/v1/tokens/{shown['id']}")).status_code == 204
        assert (await reader.get("/v1/catalog/flags")).status_code == 401
    assert (await admin.delete("/v1/tokens/none")).status_code == 404


async def test_an_admin_of_one_project_makes_nothing_beyond_it(
    node: Node, admin: httpx.AsyncClient
) -> None:
    made = await admin.post("/v1/tokens", json={"scope": "admin", "space": "acme/*"})
    async with calling(node, authorization=made.json()["token"]) as acme:
        first = await acme.post("/v1/spaces", json={"name": "acme/production"})
        assert first.status_code == 201, first.text
        other = await acme.post("/v1/spaces", json={"name": "other/production"})
        copy = {"name": "acme/copy", "copy_from": "default/production"}
        assert other.status_code == 403
        assert (await acme.post("/v1/spaces", json=copy)).status_code == 403
        for space in ("*/*", "acme/*", "acme/staging", "default/production"):
            wish = {"scope": "admin", "space": space}
            answer = await acme.post("/v1/tokens", json=wish)
            assert answer.status_code == (201 if space.startswith("acme/") else 403), space
        spaces = (await acme.get("/v1/spaces")).json()["spaces"]
        assert [each["name"] for each in spaces] == ["acme/production"]
        tokens = (await acme.get("/v1/tokens")).json()["tokens"]
        assert {each["space"] for each in tokens} == {"acme/*", "acme/staging"}
        everybodys = (await admin.get("/v1/tokens")).json()["tokens"]
        foreign = next(each for each in everybodys if each["space"] == "*/*")
        assert (await acme.delete(f"/v1/tokens/{foreign['id']}")).status_code == 404
    for space in ("", "acme", "acme/", "a b/c", "acme/**", "acme/a/b"):
        wish = {"scope": "read", "space": space}
        assert (await admin.post("/v1/tokens", json=wish)).status_code == 400, space


async def test_a_space_begins_with_its_projects_flags_and_goes_its_own_way(
    admin: httpx.AsyncClient,
) -> None:
    flag = {"default": "off", "variations": {"off": False}}
    await admin.put("/v1/catalog/flags/button", json=flag)
    made = await admin.post("/v1/spaces", json={"name": "default/staging"})
    assert made.json() == {"name": "default/staging", "revision": 1}
    there = {"allotment-space": "default/staging"}
    assert (await admin.get("/v1/catalog/flags/button", headers=there)).json() == flag
    await admin.put("/v1/catalog/flags/more", json=flag, headers=there)
    assert (await admin.get("/v1/catalog/flags/more")).status_code == 404
    assert (await admin.post("/v1/spaces", json={"name": "default/staging"})).status_code == 409
    nowhere = {"allotment-space": "default/nowhere"}
    assert (await admin.get("/v1/catalog/flags", headers=nowhere)).status_code == 404


async def test_a_reader_of_one_space_sees_no_other_in_the_metrics(
    node: Node, admin: httpx.AsyncClient
) -> None:
    assert (await admin.post("/v1/spaces", json={"name": "secret/launch"})).status_code == 201
    wish = {"scope": "read", "space": "default/production"}
    made = await admin.post("/v1/tokens", json=wish)
    async with calling(node, authorization=made.json()["token"]) as reader:
        told = (await reader.get("/metrics")).text
    assert "secret" not in told
    assert 'allotment_revision{space="default/production"}' in told
    assert 'allotment_revision{space="secret/launch"}' in (await admin.get("/metrics")).text


def logged(caplog: pytest.LogCaptureFixture) -> list[tuple[str, object]]:
    """What the log says with fields: the events and their fields."""
    found = [each for each in caplog.records if hasattr(each, "fields")]
    return [(each.getMessage(), each.__dict__["fields"]) for each in found]


async def test_making_and_revoking_a_token_leave_a_line_in_the_log(
    admin: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "allotment")
    made = await admin.post("/v1/tokens", json={"scope": "read", "name": "ci"})
    token_id, text = made.json()["id"], made.json()["token"]
    await admin.delete(f"/v1/tokens/{token_id}")
    tokens = (await admin.get("/v1/tokens")).json()["tokens"]
    (own,) = [each for each in tokens if each["id"] == token_id]
    about = {"token": token_id, "scope": "read", "space": "default/production", "name": "ci"}
    assert logged(caplog) == [
        ("a token is made", {**about, "by": own["created_by"]}),
        ("a token is revoked", {**about, "by": own["revoked_by"]}),
    ]
    assert own["created_by"] == own["revoked_by"] != ""
    assert text not in caplog.text


async def test_what_happens_to_tokens_in_the_store_is_in_the_log_of_each_node(
    node: Node, database: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "allotment")
    made, text = minted(Scope.READ, "*/*", "by hand", secret="s" * 43, now=5, who="ann")
    about = {"token": made.id, "scope": "read", "space": "*/*", "name": "by hand"}
    assert logged(caplog) == []
    with Store.open(database) as elsewhere:
        elsewhere.add_token(made)
        await until(lambda: logged(caplog))
        assert logged(caplog) == [("a token is made", {**about, "by": "ann"})]
        elsewhere.revoke_token(made.id, datetime.now(UTC), who="bo")
        await until(lambda: len(logged(caplog)) > 1)
        assert logged(caplog)[1:] == [("a token is revoked", {**about, "by": "bo"})]
    assert text not in caplog.text


async def test_a_token_that_came_and_went_between_two_looks_is_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", "allotment")
    made, _ = minted(Scope.READ, "*/*", "brief", secret="s" * 43, now=5, who="ann")
    ended = replace(made, revoked_at=6, revoked_by="bo")
    log_changes((), [ended])
    log_changes([ended], [ended])
    log_changes([ended], [])
    assert [event for event, _ in logged(caplog)] == [
        "a token is made",
        "a token is revoked",
        "a token is no longer in the store",
    ]


async def test_a_token_is_made_before_the_changes_that_wait(
    node: Node, admin: httpx.AsyncClient
) -> None:
    def slow(_stored: Stored) -> Sequence[Command]:
        time.sleep(0.01)
        return ()

    space = "default/production"
    writes = (node.write(space, slow, dialect="test", who="me") for _ in range(200))
    changes = [asyncio.create_task(each) for each in writes]
    await until(lambda: node.writes_waiting > 100)
    made = await admin.post("/v1/tokens", json={"scope": "read"})
    assert made.status_code == 201
    assert sum(not change.done() for change in changes) > 100
    await asyncio.gather(*changes)


async def test_a_token_is_revoked_while_changes_and_reads_hold_every_thread(
    node: Node, admin: httpx.AsyncClient
) -> None:
    made = await admin.post("/v1/tokens", json={"scope": "read"})
    held = threading.Event()

    waiting = [
        *(asyncio.create_task(node.in_turn(held.wait, 20)) for _ in range(5)),
        *(asyncio.create_task(node.run(held.wait, 20)) for _ in range(50)),
    ]
    try:
        await until(lambda: node.writes_waiting == 5)
        async with calling(node, authorization=made.json()["token"]) as reader:
            assert (await reader.get("/metrics")).status_code == 200
            revoked = admin.delete(f"/v1/tokens/{made.json()['id']}")
            assert (await asyncio.wait_for(revoked, 10)).status_code == 204
            assert (await reader.get("/metrics")).status_code == 401
        assert not any(task.done() for task in waiting)
    finally:
        held.set()
        await asyncio.gather(*waiting)
