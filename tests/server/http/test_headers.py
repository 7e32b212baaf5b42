"""Headers of whole requests: a field means the same on every path."""

import json

import httpx
import pytest

pytestmark = pytest.mark.anyio

FLAG = {"variations": {"blue": "#00f", "green": "#0f0"}, "default": "blue"}
BODIES = {
    "PUT /v1/catalog/flags/button": FLAG,
    "POST /v1/assign": {"unit": "user-1"},
    "POST /v1/assign/batch": {"units": ["user-1"]},
    "POST /api/v2/experimentation/segments": {
        "name": "Nordics",
        "rules": [{"match": {"country": ["SE"]}}],
    },
}
SPELLED = [
    "application/json; charset=utf8",
    'Application/JSON;charset="UTF-8"',
    "application/json;",
]


@pytest.mark.parametrize("spelled", SPELLED)
@pytest.mark.parametrize("call", BODIES)
async def test_json_is_json_however_its_type_is_spelled(
    client: httpx.AsyncClient, call: str, spelled: str
) -> None:
    method, path = call.split()
    content = json.dumps(BODIES[call]).encode()
    answer = await client.request(method, path, content=content, headers={"content-type": spelled})
    assert answer.status_code in (200, 201), answer.text


@pytest.mark.parametrize("spelled", ["application/json; charset=latin-1", "json", ""])
async def test_what_is_no_json_in_utf_8_is_refused(client: httpx.AsyncClient, spelled: str) -> None:
    headers = {"content-type": spelled}
    for call in ("PUT /v1/catalog/flags/button", "POST /v1/assign/batch"):
        method, path = call.split()
        content = json.dumps(BODIES[call]).encode()
        answer = await client.request(method, path, content=content, headers=headers)
        assert answer.status_code == 415, answer.text
        assert answer.json()["path"] == "headers.Content-Type"


async def test_a_list_may_come_in_several_lines(client: httpx.AsyncClient) -> None:
    await client.put("/v1/catalog/flags/button", json=FLAG)
    two = [("accept", "text/html"), ("accept", "application/yaml")]
    answer = await client.get("/v1/snapshot", headers=two)
    assert answer.headers["content-type"] == "application/yaml"
    tag = (await client.get("/v1/catalog/flags/button")).headers["etag"]
    two = [("if-none-match", '"7"'), ("if-none-match", f", {tag}")]
    assert (await client.get("/v1/catalog/flags/button", headers=two)).status_code == 304
    two = [("content-type", "application/json"), ("content-type", "application/json")]
    content = json.dumps(FLAG).encode()
    answer = await client.put("/v1/catalog/flags/button", content=content, headers=two)
    assert answer.status_code == 400, "a body has one type"
