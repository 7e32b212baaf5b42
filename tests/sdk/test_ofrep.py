"""The real clients of OFREP, as they come from their registries, against a real server."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from allotment.compile import compile_catalog
from allotment.engine import Engine
from allotment.store import Store
from clients import node_with, python_with
from serving import OFREP, Server, serving

HERE = Path(__file__).parent
PYTHON = ("openfeature-provider-ofrep==0.3.0", "openfeature-sdk==0.10.0")
NODE = ("@openfeature/ofrep-provider@0.1.3", "@openfeature/ofrep-core@0.1.4",
        "@openfeature/server-sdk@1.23.0", "@openfeature/core@1.12.0")  # fmt: skip
WEB = ("@openfeature/ofrep-web-provider@0.4.3", "@openfeature/web-sdk@1.10.0",
       "@openfeature/core@1.12.0")  # fmt: skip
PRODUCTION = "/projects/default/environments/production"
DEFAULTS: dict[str, Any] = {
    "banner": False,
    "title": "code",
    "attempts": -1,
    "ratio": -0.5,
    "box": {"code": True},
    "by-device": "code",
    "switched-off": "code",
    "not-begun": "code",
}

Found = list[Any]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    with serving(folder, catalog=OFREP, insecure_local=False) as started:
        yield started


@pytest.fixture(scope="module")
def token(server: Server) -> str:
    return server.token("assign")


@pytest.fixture(scope="module")
def engine(server: Server) -> Engine:
    with Store.open(server.database) as store:
        return Engine(compile_catalog(store.catalog()))


def ask(program: Sequence[str | Path], folder: Path, questions: list[Any]) -> list[Found]:
    done = subprocess.run(
        program,
        cwd=folder,
        input="\n".join(map(json.dumps, questions)),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def ask_python(url: str, token: str, *questions: tuple[str, Any, str | None]) -> list[Found]:
    """What the Python client makes of each flag, default and targeting key, in Sweden."""
    program = [python_with(*PYTHON), HERE / "ofrep_probe.py", url, token]
    lines = [[flag, default, key, {"country": "SE"}] for flag, default, key in questions]
    return ask(program, HERE, lines)


def ask_node(url: str, token: str, *questions: tuple[str, Any, str | None]) -> list[Found]:
    """What the JavaScript client for servers makes of it."""
    text = (HERE / "ofrep_probe.mjs").read_text()
    program = ["node", "--input-type=module", "--eval", text, "--", url, token]
    lines = [
        [flag, default, {} if key is None else {"targetingKey": key, "country": "SE"}]
        for flag, default, key in questions
    ]
    return ask(program, node_with(*NODE), lines)


CLIENTS = pytest.mark.parametrize("client", [ask_python, ask_node])
UNITS = [f"unit-{number}" for number in range(6)]


@CLIENTS
@pytest.mark.parametrize("prefix", ["", PRODUCTION])
def test_the_real_clients_read_values_of_every_type(
    server: Server, token: str, engine: Engine, client: Any, prefix: str
) -> None:
    asked = [(flag, default, unit) for flag, default in DEFAULTS.items() for unit in UNITS]
    for (flag, default, unit), found in zip(
        asked, client(f"{server.url}{prefix}", token, *asked), strict=True
    ):
        value, variant, reason, error, metadata = found
        expected = engine.resolve(flag, unit, {"country": "SE"})
        assert error is None, found
        assert (value, variant) == (expected.value, expected.variation)
        assert type(value) is type(default) or client is ask_node
        assert reason == ("SPLIT" if expected.experiment else reason)
        assert metadata.get("experiment") == expected.experiment
        assert metadata["reason"] == expected.reason
        assert metadata["revision"] == 1


@CLIENTS
def test_the_real_clients_read_why_there_is_no_value(
    server: Server, token: str, client: Any
) -> None:
    nothing, mistyped, lacking, fine = client(
        server.url,
        token,
        ("nothing", "code", "a"),
        ("title", True, "a"),
        ("banner", True, None),
        ("fixed", 7, None),
    )
    assert nothing[:2] == ["code", None]
    assert (nothing[2:4], mistyped[3]) == (["ERROR", "FLAG_NOT_FOUND"], "TYPE_MISMATCH")
    assert (lacking[0], lacking[3]) == (True, "TARGETING_KEY_MISSING")
    assert fine[:4] == [1, "one", "STATIC", None]


@CLIENTS
def test_the_real_clients_read_that_they_may_not_ask(server: Server, client: Any) -> None:
    elsewhere = server.token("assign", space="other/place")
    for token in ("allot_unknown", elsewhere):
        (found,) = client(f"{server.url}{PRODUCTION}", token, ("banner", True, "a"))
        assert (found[0], found[2], found[3]) == (True, "ERROR", "GENERAL")


@CLIENTS
def test_a_flag_without_a_value_of_its_own_has_the_one_in_the_code(
    server: Server, token: str, client: Any
) -> None:
    (found,) = client(server.url, token, ("own-default", "code", "a"))
    assert found[0] == "code"


class Page:
    """The JavaScript client for pages, which runs until it is closed."""

    def __init__(self, url: str, token: str) -> None:
        text = (HERE / "ofrep_web_probe.mjs").read_text()
        options = ["--experimental-eventsource", "--input-type=module", "--eval", text]
        self._node = subprocess.Popen(
            ["node", *options, "--", url, token],
            cwd=node_with(*WEB),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __call__(self, *command: Any) -> Any:
        assert self._node.stdin
        assert self._node.stdout
        self._node.stdin.write(json.dumps(command) + "\n")
        self._node.stdin.flush()
        line = self._node.stdout.readline()
        assert line, "the client has ended"
        return json.loads(line)

    def close(self) -> None:
        self._node.kill()
        self._node.wait()
        for pipe in (self._node.stdin, self._node.stdout):
            assert pipe
            pipe.close()


@contextmanager
def page(url: str, token: str) -> Iterator[Page]:
    made = Page(url, token)
    try:
        yield made
    finally:
        made.close()


def context(unit: str) -> dict[str, str]:
    return {"targetingKey": unit, "country": "SE"}


def test_the_client_for_pages_reads_all_flags_at_once(
    server: Server, token: str, engine: Engine
) -> None:
    with page(server.url, token) as asked:
        assert asked("start", context("unit-0")) == "ready"
        for unit in UNITS:
            asked("context", context(unit))
            for flag, default in DEFAULTS.items():
                value, variant, _, error, metadata = asked("get", flag, default)
                expected = engine.resolve(flag, unit, {"country": "SE"})
                assert error is None
                assert (value, variant) == (expected.value, expected.variation)
                assert metadata.get("experiment") == expected.experiment
        assert asked("get", "nothing", "code")[3] == "FLAG_NOT_FOUND"
        assert asked("get", "title", True)[3] == "TYPE_MISMATCH"
        assert asked("get", "own-default", "code")[0] == "code"


def test_the_client_for_pages_is_not_sent_again_what_it_has(server: Server, token: str) -> None:
    with page(server.url, token) as asked:
        asked("start", context("unit-0"))
        asked("poll")
        # The same unit: the client sends the tag that it has, and the context has changed.
        asked("context", {**context("unit-0"), "country": "FR"})
        assert asked("get", "title", "code")[:2] == ["Hello", "plain"]
        asked("poll")
        statuses = [status for path, status in asked("requests") if path.endswith("flags")]
        assert statuses == [200, 304, 200, 304]


def test_the_client_for_pages_is_told_that_it_may_not_ask(server: Server) -> None:
    with page(server.url, "allot_unknown") as asked:
        assert asked("start", context("a")) == "OFREPApiUnauthorizedError"


def weigh(server: Server, experiment: str, control: int) -> None:
    """Give the control so many percent, and the other treatment the rest."""
    with server.client(token=server.token("write")) as client:
        catalog = client.get("/v1/snapshot").json()["catalog"]
        iteration = catalog["experiments"][experiment]["iterations"][-1]
        first, second = (each["key"] for each in iteration["treatments"])
        weights = {
            "is": "SetWeights",
            "experiment": experiment,
            "allocation": iteration["allocations"][0]["key"],
            "weights": [[first, control], [second, 100 - control]],
            "total": 100,
        }
        done = client.post("/v1/commands", json={"commands": [weights]})
        assert done.status_code == 200, done.text


@pytest.mark.parametrize("prefix", ["", PRODUCTION])
def test_a_change_reaches_a_page_by_push(server: Server, token: str, prefix: str) -> None:
    weigh(server, "attempts", 50)
    with page(f"{server.url}{prefix}", token) as asked:
        assert asked("start", context("unit-0")) == "ready"
        # What a page is not sent again holds on to the stream all the same.
        asked("poll")
        while asked("changed", 1) is not None:  # what was published just before it came
            pass
        asked("requests")
        for control, value in ((100, 3), (0, 5), (100, 3)):
            weigh(server, "attempts", control)
            assert "attempts" in (asked("changed", 10) or ())
            assert asked("get", "attempts", -1)[0] == value
        (path, status), *_ = asked("requests")
        assert path.startswith(f"{prefix}/ofrep/v1/evaluate/flags?flagConfigEtag=")
        assert status == 200
