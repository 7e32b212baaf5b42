"""Tokens: made once, known by their digest, worth nothing once revoked."""

from __future__ import annotations

import hashlib
import json
import re
import time
from pathlib import Path

import pytest

from allotment.cli.local import login
from allotment.store import Store
from allotment.store.schema import DEFAULT_SPACE
from serving import Server, serving

PATIENCE = 10.0


def status_of(server: Server, token: str, path: str = "/v1/snapshot") -> int:
    with server.client(token=token) as client:
        return client.get(path).status_code


def wait_until(server: Server, token: str, status: int) -> None:
    """Until the server, which looks at its store again and again, answers the token so."""
    deadline = time.monotonic() + PATIENCE
    while (found := status_of(server, token)) != status:
        assert time.monotonic() < deadline, f"it still answers {found}"
        time.sleep(0.02)


@pytest.fixture(params=["store", "server"])
def where(request: pytest.FixtureRequest, running: Server, monkeypatch) -> list[str]:
    """Options that lead to the same tokens: in the server's store, and through the server."""
    if request.param == "store":
        return ["--store", running.database]
    token = running.token("admin", space="*/*")
    monkeypatch.setenv("ALLOTMENT_TOKEN", token)
    return ["--server", running.url]


@pytest.fixture
def running(tmp_path: Path):
    with serving(tmp_path) as server:
        yield server


def test_a_token_is_made_used_and_revoked_and_is_written_nowhere(
    invoke, running: Server, where: list[str], tmp_path: Path
) -> None:
    made = invoke("token", "create", "--scope", "read", "--name", "the [dashboard]", *where)
    token = made.stdout.removesuffix("\n")
    assert re.fullmatch(r"allot_[A-Za-z0-9_-]{43}", token)
    digest = hashlib.sha256(token.encode()).hexdigest()
    assert made.stderr == (
        f"token {digest[:8]} of scope read for default/production; it is not shown again\n"
    )
    wait_until(running, token, 200)
    assert status_of(running, token, "/v1/tokens") == 403
    listed = invoke("token", "list", *where).stdout
    (row,) = [line for line in listed.splitlines() if digest[:8] in line]
    assert row.split()[1:4] == ["read", "default/production", "the"]
    assert "[dashboard]" in row
    assert row.rstrip().endswith("for ever")

    invoke("token", "revoke", digest[:8], "--yes", *where)
    wait_until(running, token, 401)
    assert "revoked" in invoke("token", "list", *where).stdout

    running.stop()
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {"allotment.db", "server.log"} <= {path.name for path in written}
    for path in written:
        assert token.encode() not in path.read_bytes(), path
    assert digest.encode() in (tmp_path / "allotment.db").read_bytes()


def test_the_plain_form_has_the_token_once_and_its_digest_never(
    invoke, running: Server, where: list[str]
) -> None:
    arguments = ["--scope", "assign", "--space", "default/*"]
    made = json.loads(
        invoke("token", "create", *arguments, "--expires-days", 2, *where, "--json").stdout
    )
    digest = hashlib.sha256(made.pop("token").encode()).hexdigest()
    assert made["id"] == digest[:8]
    assert (made["scope"], made["space"], made["revoked_at"]) == ("assign", "default/*", None)
    assert made["expires_at"][:10] > made["created_at"][:10]
    listed = invoke("token", "list", "--json", *where).stdout
    assert made in json.loads(listed)
    assert digest not in listed


def test_who_made_and_who_revoked_a_token_is_in_the_log_of_a_running_server(
    invoke, running: Server, where: list[str]
) -> None:
    made = json.loads(
        invoke("token", "create", "--scope", "read", "--name", "ci", "--json", *where).stdout
    )
    invoke("token", "revoke", made["id"], "--yes", *where)
    (own,) = [
        each
        for each in json.loads(invoke("token", "list", "--json", *where).stdout)
        if each["id"] == made["id"]
    ]
    if "--store" in where:
        assert (own["created_by"], own["revoked_by"]) == (login(), login())
    assert own["created_by"] == own["revoked_by"] != ""

    def told() -> list[tuple[str, str]]:
        lines = [json.loads(line) for line in running.log.splitlines() if made["id"] in line]
        return [(line["event"], line["by"]) for line in lines]

    deadline = time.monotonic() + PATIENCE
    while len(told()) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert told() == [
        ("a token is made", own["created_by"]),
        ("a token is revoked", own["revoked_by"]),
    ]


def test_a_token_that_is_not_there_cannot_be_revoked(invoke, where: list[str]) -> None:
    assert "there is no token" in invoke("token", "revoke", "00000000", *where, code=1).stderr


def test_a_token_that_has_expired_is_worth_nothing(invoke, running: Server) -> None:
    token = running.token("read", ttl=0.5)
    running.token("read")
    wait_until(running, token, 401)
    assert "expired" in invoke("token", "list", "--store", running.database).stdout


def test_a_token_can_be_made_before_the_server_first_starts(invoke, tmp_path: Path) -> None:
    store = tmp_path / "new.db"
    token = invoke("token", "create", "--scope", "admin", "--store", store).stdout.strip()
    with serving(tmp_path, database_url=str(store)) as server:
        assert status_of(server, token) == 200
        assert status_of(server, "another") == 401


def test_a_token_for_a_space_that_is_not_there_is_made_and_noted(invoke, tmp_path: Path) -> None:
    arguments = ["--scope", "read", "--space", "web/production", "--store", tmp_path / "new.db"]
    made = invoke("token", "create", *arguments)
    assert "note: there is no space web/production yet" in made.stderr
    with Store.open(tmp_path / "new.db") as store:
        assert [token.space for token in store.tokens()] == ["web/production"]


def test_a_token_reaches_the_space_that_is_named_or_all(invoke, tmp_path: Path) -> None:
    spaces = {"web/production": "web/production", "web/*": "web/*", "all": "*/*", "": DEFAULT_SPACE}
    for named, reached in spaces.items():
        space = ["--space", named] if named else []
        arguments = ["--scope", "admin", *space, "--json", "--store", tmp_path / "new.db"]
        assert json.loads(invoke("token", "create", *arguments).stdout)["space"] == reached


def test_a_refusal_says_how_far_the_token_reaches_and_what_it_takes(
    invoke, running: Server
) -> None:
    token = running.token("admin")
    where = ["--server", running.url, "--token", token]
    refused = invoke("export", "--space", "web/production", *where, code=1).stderr
    assert "this token reaches default/production, and this is about another space" in refused
    assert "takes a token of scope read for web/production: give another" in refused


def test_the_history_names_the_token_of_a_change(invoke, running: Server, tmp_path: Path) -> None:
    token = running.token("write")
    flag = tmp_path / "flag.yaml"
    flag.write_text("allotment: 1\nflags: {f: {default: a, variations: {a: 1}}}\n")
    at_server = ["--server", running.url, "--token", token]
    invoke("apply", flag, "--no-delete", *at_server)
    for place in (at_server, ["--store", running.database]):
        (entry,) = json.loads(invoke("history", "--limit", 1, "--json", *place).stdout)
        assert entry["name"] == "test", "as the token is called"
        shown = invoke("history", "--limit", 1, *place).stdout
        assert f"  test ({entry['who']})  (catalogfile)" in shown


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--scope", "root"],
        ["--scope", "read", "--expires-days", "0"],
        ["--scope", "read", "--space", "a/b/c"],
        ["--scope", "read", "--space", "a/"],
        ["--scope", "read", "--space", "everything"],
    ],
)
def test_a_token_is_asked_for_in_full(invoke, tmp_path: Path, arguments: list[str]) -> None:
    invoke("token", "create", *arguments, "--store", "none.db", code=64)
    assert not (tmp_path / "none.db").exists()
