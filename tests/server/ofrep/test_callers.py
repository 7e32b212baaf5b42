"""Who may ask over OFREP, of which space, and what is logged of it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from serving import OFREP, Server, serving

FLAGS = "/ofrep/v1/evaluate/flags"
STAGING = "/projects/default/environments/staging"
PRODUCTION = "/projects/default/environments/production"
ASKED = {"context": {"targetingKey": "a"}}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("callers")
    env = {"ALLOTMENT_EXPOSURES": "ndjson", "ALLOTMENT_ACCESS_LOG": "1"}
    with serving(folder, catalog=OFREP, env=env, insecure_local=False) as started:
        with started.client(token=started.token("admin", space="*/*")) as admin:
            made = {"name": "default/staging", "copy_from": "default/production"}
            assert admin.post("/v1/spaces", json=made).status_code == 201
        yield started


@pytest.fixture(scope="module")
def token(server: Server) -> str:
    return server.token("assign", space="default/*")


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    with server.client() as made:
        yield made


def sent(client: httpx.Client, path: str, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post(path, json=ASKED, headers=named)


def test_a_token_comes_in_either_header_of_the_protocol(client: httpx.Client, token: str) -> None:
    for path in (FLAGS, f"{FLAGS}/banner"):
        assert sent(client, path, authorization=f"Bearer {token}").status_code == 200
        assert sent(client, path, x_api_key=token).status_code == 200
        assert sent(client, path, x_api_key="allot_unknown").status_code == 401
        answer = sent(client, path, authorization="Bearer allot_unknown", x_api_key=token)
        assert answer.status_code == 401


@pytest.mark.parametrize("path", [f"{FLAGS}/banner", FLAGS, f"{PRODUCTION}{FLAGS}/banner"])
def test_a_refusal_of_a_caller_has_the_shape_of_the_protocol(
    server: Server, client: httpx.Client, path: str
) -> None:
    elsewhere = server.token("assign", space="other/place")
    unknown = sent(client, path)
    assert unknown.status_code == 401
    assert unknown.headers["www-authenticate"].startswith("Bearer")
    refused = sent(client, path, authorization=elsewhere, allotment_space="default/production")
    assert refused.status_code == 403
    for answer in (unknown, refused):
        assert answer.headers["content-type"] == "application/json"
        assert answer.json()["errorCode"] == "GENERAL"
        assert answer.json().keys() - {"key"} == {"errorCode", "errorDetails"}


def test_a_path_names_a_space_by_project_and_environment(client: httpx.Client, token: str) -> None:
    for prefix in (STAGING, PRODUCTION):
        for path in (FLAGS, f"{FLAGS}/banner"):
            answer = sent(client, f"{prefix}{path}", x_api_key=token)
            assert answer.status_code == 200, answer.text
            space = prefix.replace("/projects/", "").replace("/environments", "")
            same = sent(client, path, x_api_key=token, allotment_space=space)
            assert same.json() == answer.json()
            assert same.headers.get("etag") == answer.headers.get("etag")
    tags = {
        sent(client, f"{p}{FLAGS}", x_api_key=token).headers["etag"] for p in (STAGING, PRODUCTION)
    }
    assert len(tags) == 2


def test_a_token_reaches_no_space_by_a_path_that_it_does_not_reach(
    server: Server, client: httpx.Client
) -> None:
    narrow = server.token("assign", space="default/production")
    assert sent(client, f"{PRODUCTION}{FLAGS}", x_api_key=narrow).status_code == 200
    assert sent(client, f"{STAGING}{FLAGS}", x_api_key=narrow).status_code == 403


@pytest.mark.parametrize("space", ["default/nowhere", "default/a%20b", "%ff/%zz", "default/%2e%2e"])
def test_a_space_that_is_not_there_is_not_found(
    client: httpx.Client, token: str, space: str
) -> None:
    project, environment = space.split("/")
    path = f"/projects/{project}/environments/{environment}{FLAGS}"
    url = httpx.URL(f"{client.base_url}").copy_with(raw_path=path.encode())
    assert client.post(url, json=ASKED).status_code == 401
    answer = client.post(url, json=ASKED, headers={"x-api-key": token})
    expected = 403 if project != "default" and "%" not in project else 404
    assert answer.status_code == expected, answer.text
    assert answer.json()["errorCode"] == "GENERAL"


def test_a_header_may_not_name_another_space_than_the_path(
    client: httpx.Client, token: str
) -> None:
    path = f"{STAGING}{FLAGS}"
    same = sent(client, path, x_api_key=token, allotment_space="default/staging")
    other = sent(client, path, x_api_key=token, allotment_space="default/production")
    assert (same.status_code, other.status_code) == (200, 400)
    assert "headers.Allotment-Space" in other.json()["errorDetails"]


def test_a_revision_that_is_not_there_is_refused(client: httpx.Client, token: str) -> None:
    answer = sent(client, FLAGS, x_api_key=token, allotment_min_revision="99")
    assert (answer.status_code, answer.json()["errorCode"]) == (412, "GENERAL")


def test_one_flag_is_logged_as_shown_and_all_flags_are_not(
    server: Server, client: httpx.Client, token: str
) -> None:
    for unit in ("all-1", "all-2"):
        asked = {"context": {"targetingKey": unit, "country": "SE"}}
        assert client.post(FLAGS, json=asked, headers={"x-api-key": token}).status_code == 200
    for key in ("banner", "title", "fixed", "switched-off", "of-two"):
        asked = {"context": {"targetingKey": "one", "country": "SE"}}
        answer = client.post(f"{FLAGS}/{key}", json=asked, headers={"x-api-key": token})
        assert answer.status_code == 200
    shown = {("one", "banner"), ("one", "title")}
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and not shown <= _logged(server.folder):
        time.sleep(0.05)
    logged = _logged(server.folder)
    assert shown <= logged
    assert {unit for unit, _ in logged} <= {"one", "a"}
    assert {key for unit, key in logged if unit == "one"} <= {
        "banner",
        "title",
        "of-nordics",
        "of-devices",
    }


def _logged(folder: Path) -> set[tuple[str, str]]:
    found: list[dict[str, Any]] = []
    for file in (folder / "exposures").glob("*"):
        found += [json.loads(line) for line in file.read_text().splitlines() if line.endswith("}")]
    return {(each["unit"], each["experiment"]) for each in found}


def test_the_log_names_templates_and_no_flag_unit_or_token(server: Server, token: str) -> None:
    lines = [line for line in server.log.splitlines() if "evaluate/flags" in line]
    assert any("/ofrep/v1/evaluate/flags/{key}" in line for line in lines)
    assert any(
        "/projects/{projectKey}/environments/{environmentKey}/ofrep" in line for line in lines
    )
    assert not any("flags/banner" in line or token in line for line in lines)
