"""Pages of chosen origins call the assignment paths and OFREP, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from allotment.errors import InvalidInput
from allotment.server.settings import Settings
from server.nodes import calling, running
from serving import OFREP, Server, serving

SHOP = "https://shop.example"
LOCAL = "http://localhost:3000"
FLAGS = "/ofrep/v1/evaluate/flags"
PROJECT = "/projects/default/environments/production"
OPEN = {
    "/v1/assign": {"unit": "a"},
    "/v1/assign/batch": {"units": ["a"]},
    "/v1/resolve": {"unit": "a"},
    "/v1/explain": {"unit": "a", "experiment": "banner"},
    FLAGS: {"context": {"targetingKey": "a"}},
    f"{FLAGS}/banner": {"context": {"targetingKey": "a"}},
    f"{PROJECT}{FLAGS}": {"context": {"targetingKey": "a"}},
    f"{PROJECT}{FLAGS}/banner": {"context": {"targetingKey": "a"}},
}
CLOSED = [
    *("/", "/healthz", "/metrics", "/docs", "/openapi.json", "/v1/snapshot", "/v1/journal"),
    *("/v1/tokens", "/v1/spaces", "/v1/commands", "/v1/kept", "/v1/catalog/flags/banner"),
    *("/v1/flags:resolve", "/v1/flags", "/api/v2/experimentation/experiments"),
    *("/api/v2/flags/default", "/v1/assigned", "/nowhere"),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    env = {"ALLOTMENT_CORS_ORIGINS": f"{SHOP}, {LOCAL}"}
    folder = tmp_path_factory.mktemp("cors")
    with serving(folder, catalog=OFREP, env=env, insecure_local=False) as started:
        yield started


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[httpx.Client]:
    with server.client(token=server.token("admin")) as made:
        yield made


def cors_of(answer: httpx.Response) -> dict[str, str]:
    return {n: v for n, v in answer.headers.items() if n.startswith("access-control")}


def preflight(client: httpx.Client, path: str, origin: str) -> httpx.Response:
    asked = {
        "origin": origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type,if-none-match,x-api-key",
    }
    return client.options(path, headers=asked)


@pytest.mark.parametrize("path", [*OPEN, "/v1/assign/banner/a"])
def test_a_page_of_a_chosen_origin_is_given_leave_without_a_token(
    server: Server, path: str
) -> None:
    with server.client() as stranger:
        answer = preflight(stranger, path, SHOP)
    assert (answer.status_code, answer.content) == (204, b"")
    said = cors_of(answer)
    assert said["access-control-allow-origin"] == SHOP
    assert said["access-control-allow-methods"] == "GET, POST"
    allowed = said["access-control-allow-headers"].replace(" ", "").split(",")
    assert {"authorization", "content-type", "if-none-match", "x-api-key"} <= set(allowed)
    assert int(said["access-control-max-age"]) > 0
    assert answer.headers["vary"] == "origin"


@pytest.mark.parametrize("path", OPEN)
def test_its_page_may_read_the_answer_and_the_refusal(client: httpx.Client, path: str) -> None:
    for origin in (SHOP, LOCAL):
        for body in (OPEN[path], {"nothing": "of this"}):
            answer = client.post(path, json=body, headers={"origin": origin})
            assert (answer.status_code == 200) is (body is OPEN[path]), answer.text
            said = cors_of(answer)
            assert said["access-control-allow-origin"] == origin
            assert "etag" in said["access-control-expose-headers"]
            assert "access-control-allow-credentials" not in said
            assert "origin" in answer.headers["vary"]
    unknown = client.post(path, json=OPEN[path], headers={"origin": SHOP, "authorization": "no"})
    assert unknown.status_code == 401
    assert unknown.headers["access-control-allow-origin"] == SHOP


def test_an_answer_that_was_waited_for_says_it_too(client: httpx.Client) -> None:
    body = {"context": {"targetingKey": "a", "more": ["x"] * 5_000}}
    answer = client.post(FLAGS, json=body, headers={"origin": SHOP})
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == SHOP
    tag = answer.headers["etag"]
    again = client.post(FLAGS, json=body, headers={"origin": SHOP, "if-none-match": tag})
    assert (again.status_code, again.headers["access-control-allow-origin"]) == (304, SHOP)


OTHERS = ["https://evil.example", "https://shop.example.evil.example", "null", "*", "", f"{SHOP}/"]


@pytest.mark.parametrize("origin", [*OTHERS, SHOP.upper(), "http://shop.example"])
def test_a_page_of_another_origin_is_given_none(client: httpx.Client, origin: str) -> None:
    for path, body in OPEN.items():
        refused = preflight(client, path, origin)
        assert (refused.status_code, cors_of(refused)) == (405, {})
        answer = client.post(path, json=body, headers={"origin": origin})
        assert (answer.status_code, cors_of(answer)) == (200, {})
        # What a cache holds of it is not for the page of another origin.
        assert answer.headers["vary"] == "origin"


def test_two_origins_are_none(client: httpx.Client) -> None:
    twice = [("origin", SHOP), ("origin", SHOP)]
    answer = client.post(FLAGS, json=OPEN[FLAGS], headers=twice)
    assert cors_of(answer) == {}


@pytest.mark.parametrize("path", CLOSED)
def test_no_other_path_is_open_to_any_page(client: httpx.Client, path: str) -> None:
    for answer in (
        preflight(client, path, SHOP),
        client.get(path, headers={"origin": SHOP}),
        client.post(path, json={}, headers={"origin": SHOP}),
    ):
        assert cors_of(answer) == {}
        assert "origin" not in answer.headers.get("vary", "")


@pytest.mark.anyio
async def test_without_chosen_origins_there_is_nothing_of_it(tmp_path: Path) -> None:
    async with running(str(tmp_path / "allotment.db")) as node, calling(node) as client:
        for path, body in OPEN.items():
            answer = await client.post(path, json=body, headers={"origin": LOCAL})
            assert answer.status_code in (200, 404)
            assert cors_of(answer) == {}
            assert "vary" not in answer.headers
            asks = {"origin": LOCAL, "access-control-request-method": "POST"}
            refused = await client.options(path, headers=asks)
            assert (refused.status_code, cors_of(refused)) == (405, {})


@pytest.mark.parametrize(
    "text",
    ["*", "null", "shop.example", "https://shop.example/", "https://Shop.example", "https://a b",
     "https://shop.example,,http://a", "ftp://a", "https://*.shop.example", "https://a?b"],
)  # fmt: skip
def test_what_is_no_origin_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"cors_origins.*no origin"):
        Settings(cors_origins=text)


def test_origins_may_have_ports_and_addresses() -> None:
    Settings(cors_origins="http://localhost:3000,http://[::1]:8080,https://10.0.0.7, https://a-b.c")
