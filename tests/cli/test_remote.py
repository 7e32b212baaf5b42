"""What the command line says when a server cannot be asked, or refuses."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from serving import Server, serving

SECRET = "allot_0123456789012345678901234567890123456789abc"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that wants a token."""
    with serving(tmp_path_factory.mktemp("guarded"), insecure_local=False) as running:
        yield running


@pytest.fixture
def stranger() -> Iterator[str]:
    """The address of something that is no Allotment server; its path says how it answers."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = {
                "/gone/v1/snapshot": (404, b"<html>404</html>"),
                "/hello/v1/snapshot": (200, b"<html>hello</html>"),
                "/other/v1/snapshot": (200, b'{"catalog": {"is": "Catalog", "colour": 1}}'),
                "/moved/v1/snapshot": (302, b""),
                "/proxy/v1/snapshot": (502, b"bad gateway"),
            }[self.path]
            self.send_response(status)
            self.send_header("location", "http://127.0.0.1:1/")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_server_that_is_not_there_is_named_and_what_to_look_at(invoke) -> None:
    with socket.socket() as taken:  # bound, and not listened on
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        said = invoke("export", "--server", url, code=1).stderr
    assert said == (
        f"error: the server at {url} cannot be reached (Connection refused); "
        "is it running, and is that its address?\n"
    )


def test_a_server_that_does_not_answer_is_given_up(invoke, monkeypatch) -> None:
    monkeypatch.setattr("allotment.cli.http_client._TIMEOUT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        assert "gave no answer in time" in invoke("export", "--server", url, code=1).stderr


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("gone", "answers 404, but not as an Allotment server does"),
        ("hello", "answers 200, but not as an Allotment server does"),
        ("moved", "answers 302, but not as an Allotment server does"),
        ("proxy", "answers 502, but not as an Allotment server does"),
        ("other", "answers what this Allotment does not know: are the two of one version?"),
    ],
)
def test_what_is_no_allotment_server_is_told_from_one(
    invoke, stranger: str, path: str, said: str
) -> None:
    refused = invoke("export", "--server", f"{stranger}/{path}", code=1)
    assert said in refused.stderr
    assert "<html>" not in refused.output


@pytest.mark.parametrize(
    ("scope", "command", "said"),
    [
        (None, ["export"], "takes a token of scope read: give one by --token or ALLOTMENT_TOKEN"),
        ("assign", ["export"], "takes a token of scope read: give another"),
        ("assign", ["history"], "takes a token of scope read: give another"),
        ("read", ["apply", "catalog.yaml"], "takes a token of scope write: give another"),
        ("write", ["token", "list"], "takes a token of scope admin: give another"),
        ("write", ["space", "create", "x/y"], "takes a token of scope admin: give another"),
    ],
)
@pytest.mark.usefixtures("catalog")
def test_a_token_that_is_missing_or_too_weak_is_told_with_the_scope_that_would_do(
    invoke, guarded: Server, scope: str | None, command: list[str], said: str
) -> None:
    token = [] if scope is None else ["--token", guarded.token(scope)]
    invoke_until(invoke, [*command, "--server", guarded.url, *token], said)


def invoke_until(invoke, arguments: list[str], said: str) -> None:
    """Run until a server that knows of a new token within moments says so."""
    for _ in range(50):
        refused = invoke(*arguments, code=1).stderr
        if said in refused:
            return
        assert "this token is not known" in refused
    raise AssertionError(refused)


def test_a_space_that_is_not_there_is_refused_as_a_store_refuses_it(
    invoke, server: Server, tmp_path: Path
) -> None:
    places = (["--server", server.url], ["--store", tmp_path / "new.db"])
    invoke("space", "create", "web/staging", *places[1])
    for place in places:
        said = invoke("export", *place, "--space", "none/there", code=1).stderr
        assert "`allotment space create` makes one" in said


@pytest.mark.parametrize(
    ("arguments", "environment", "said"),
    [
        (["--server", "http://x", "--store", "y"], {}, "a store and a server are both given"),
        ([], {"ALLOTMENT_SERVER": "http://x", "ALLOTMENT_STORE": "y"}, "are both given"),
        (["--store", "y", "--token", SECRET], {}, "--token is for a --server"),
        (["--server", "http://x", "--space", "web"], {}, "PROJECT/ENVIRONMENT"),
        (["--space", "a/b/c"], {}, "PROJECT/ENVIRONMENT"),
    ],
)
def test_what_contradicts_itself_is_a_usage_error(
    invoke, monkeypatch, arguments: list[str], environment: dict[str, str], said: str
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert said in " ".join(invoke("export", *arguments, code=64).stderr.replace("│", " ").split())


def test_what_is_typed_wins_over_the_environment(invoke, server: Server, monkeypatch) -> None:
    monkeypatch.setenv("ALLOTMENT_SERVER", server.url)
    assert "allotment: 1" in invoke("export").stdout
    assert "no store at typed.db" in invoke("export", "--store", "typed.db", code=1).stderr
    monkeypatch.delenv("ALLOTMENT_SERVER")
    monkeypatch.setenv("ALLOTMENT_STORE", "environment.db")
    assert "no store at environment.db" in invoke("export", code=1).stderr
    assert "allotment: 1" in invoke("export", "--server", server.url).stdout


def test_the_database_of_a_server_is_a_store_as_well(invoke, catalog: Path, monkeypatch) -> None:
    monkeypatch.setenv("ALLOTMENT_DATABASE_URL", "sqlite:///served.db")
    assert "served.db is now at revision 1" in invoke("apply", catalog).stderr
    monkeypatch.setenv("ALLOTMENT_STORE", "other.db")
    assert "no store at other.db" in invoke("export", code=1).stderr


@pytest.mark.parametrize(
    "url", ["localhost:8080", "ftp://x", "http://user:pass@x", "http://x?y=1", "http://a b"]
)
def test_an_address_that_is_none_is_refused(invoke, url: str) -> None:
    said = invoke("export", "--server", url, code=1).stderr
    assert "a server's address is" in said
    assert "pass" not in said


@pytest.mark.parametrize("token", [f"{SECRET}\n", f"{SECRET} x", f"{SECRET}é", ""])
def test_a_token_that_cannot_be_sent_is_refused_and_not_shown(
    invoke, server: Server, monkeypatch, token: str
) -> None:
    monkeypatch.setenv("ALLOTMENT_TOKEN", token)
    refused = invoke("export", "--server", server.url, code=1 if token else 0)
    assert SECRET not in refused.output
    if token:
        assert "holds what no token does" in refused.stderr


def test_no_error_shows_the_token(invoke, guarded: Server, stranger: str, monkeypatch) -> None:
    monkeypatch.setenv("ALLOTMENT_TOKEN", SECRET)
    for url in (guarded.url, f"{stranger}/moved", f"{stranger}/hello", "http://127.0.0.1:1"):
        for how in ([], ["--json"]):
            refused = invoke("history", "--server", url, *how, code=1)
            assert SECRET not in refused.output


def test_who_it_is_the_server_knows_by_itself(invoke, server: Server, catalog: Path) -> None:
    refused = invoke("apply", catalog, "--server", server.url, "--who", "ann", code=1)
    assert "--who is for a store" in refused.stderr


def test_under_json_an_error_of_a_server_is_an_object_too(invoke, guarded: Server) -> None:
    refused = invoke("history", "--server", guarded.url, "--json", code=1)
    assert "scope read" in json.loads(refused.stdout)["error"]["message"]
