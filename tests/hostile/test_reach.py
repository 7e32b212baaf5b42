"""A token reaches all spaces that a call reads or writes, or the call is refused and does nothing.

A project's flags, variations, layers and settings are defined in all of its environments: through
any vendor's API a change of them is a change of each.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from serving import Server, serving

STAGING, PRODUCTION = "web/staging", "web/production"
AUTH0 = "/api/v2/experimentation"
LAUNCHDARKLY = "/api/v2/flags/web"
SEMANTIC = {"content-type": "application/json; domain-model=launchdarkly.semanticpatch"}

Call = tuple[str, str, Any]
Attack = Callable[[httpx.Client], Call]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("reach")) as started:
        yield started


@pytest.fixture(scope="module")
def project(server: Server) -> Iterator[httpx.Client]:
    """A project of two environments, both of which have its flags; asked as one who may do all."""
    with server.client(token=server.token("admin", space="*/*")) as admin:
        for name in (PRODUCTION, STAGING):
            assert admin.post("/v1/spaces", json={"name": name}).status_code == 201
        admin.headers["allotment-space"] = STAGING
        for key in ("some-flag", "unused-flag"):
            variants = [
                {"name": f"flags/{key}/variants/{each}", "value": {"shown": each}}
                for each in ("one", "two")
            ]
            made = admin.post(f"/v1/flags?flagId={key}", json={"variants": variants})
            assert made.status_code == 200, made.text
        layer = {"key": "some-layer", "name": "Some layer", "description": ""}
        made = admin.post("/api/v2/projects/web/layers", json=layer)
        assert made.status_code == 201, made.text
        yield admin


@contextmanager
def calling(server: Server, scope: str, space: str) -> Iterator[httpx.Client]:
    with server.client(token=server.token(scope, space=space)) as client:
        yield client


@pytest.fixture(scope="module")
def narrow(server: Server, project: httpx.Client) -> Iterator[httpx.Client]:
    with calling(server, "write", STAGING) as client:
        yield client


@pytest.fixture(scope="module")
def wide(server: Server, project: httpx.Client) -> Iterator[httpx.Client]:
    with calling(server, "write", "web/*") as client:
        client.headers["allotment-space"] = STAGING
        yield client


def auth0_flag(client: httpx.Client, key: str) -> dict[str, Any]:
    flags = client.get(f"{AUTH0}/feature-flags?take=50").json()["feature_flags"]
    found: dict[str, Any] = next(each for each in flags if each["name"] == key)
    return found


def auth0_variation(client: httpx.Client) -> str:
    flag = auth0_flag(client, "some-flag")["id"]
    listed = client.get(f"{AUTH0}/feature-flags/{flag}/variations").json()["variations"]
    one = next(each["id"] for each in listed if each["name"] == "one")
    return f"{AUTH0}/feature-flags/{flag}/variations/{one}"


def patched(*instructions: dict[str, Any]) -> Any:
    return {"environmentKey": "staging", "instructions": [*instructions]}


UNIT = {"randomizationUnit": "account", "standardRandomizationUnit": "user"}
ATTACKS: dict[str, Attack] = {
    "Confidence: a variant's value": lambda _: (
        "PATCH",
        "/v1/flags/some-flag/variants/one",
        {"value": {"shown": "taken over"}},
    ),
    "Confidence: a new variant": lambda _: (
        "POST",
        "/v1/flags/some-flag/variants?variantId=three",
        {"value": {"shown": "three"}},
    ),
    "Confidence: a variant goes": lambda _: ("DELETE", "/v1/flags/unused-flag/variants/two", None),
    "Confidence: a flag's description": lambda _: (
        "PATCH",
        "/v1/flags/some-flag",
        {"description": "theirs"},
    ),
    "Confidence: a new flag": lambda _: ("POST", "/v1/flags?flagId=their-flag", {}),
    "Auth0: a flag's name": lambda client: (
        "PATCH",
        f"{AUTH0}/feature-flags/{auth0_flag(client, 'unused-flag')['id']}",
        {"name": "Theirs too"},
    ),
    "Auth0: a variation's name": lambda client: (
        "PATCH",
        auth0_variation(client),
        {"name": "Theirs"},
    ),
    "LaunchDarkly: a flag's name": lambda _: (
        "PATCH",
        f"{LAUNCHDARKLY}/unused-flag",
        patched({"kind": "updateName", "value": "Theirs"}),
    ),
    "LaunchDarkly: a new flag": lambda _: (
        "POST",
        LAUNCHDARKLY,
        {"key": "ld-flag", "name": "Theirs"},
    ),
    "LaunchDarkly: a flag is archived": lambda _: (
        "PATCH",
        f"{LAUNCHDARKLY}/unused-flag",
        patched({"kind": "archiveFlag"}),
    ),
    "LaunchDarkly: a flag is deleted": lambda _: ("DELETE", f"{LAUNCHDARKLY}/unused-flag", None),
    "LaunchDarkly: a layer's name": lambda _: (
        "PATCH",
        "/api/v2/projects/web/layers/some-layer",
        patched({"kind": "updateName", "name": "Theirs"}),
    ),
    "LaunchDarkly: settings": lambda _: (
        "PUT",
        "/api/v2/projects/web/experimentation-settings",
        {
            "randomizationUnits": [
                {"randomizationUnit": "account", "standardRandomizationUnit": "user"}
            ]
        },
    ),
}


def sent(client: httpx.Client, call: Call) -> httpx.Response:
    method, path, body = call
    more = SEMANTIC if method == "PATCH" and "/api/v2/" in path and AUTH0 not in path else {}
    return client.request(method, path, json=body, headers=more)


def catalogs(admin: httpx.Client) -> dict[str, Any]:
    """What each environment has, and at which revision."""
    found = {}
    for space in (STAGING, PRODUCTION):
        answer = admin.get("/v1/snapshot", headers={"allotment-space": space})
        found[space] = (answer.headers["allotment-revision"], answer.text)
    return found


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_token_of_one_environment_changes_no_other(
    project: httpx.Client, narrow: httpx.Client, wide: httpx.Client, attack: str
) -> None:
    call = ATTACKS[attack](project)
    before = catalogs(project)
    refused = sent(narrow, call)
    assert refused.status_code == 403, refused.text
    assert PRODUCTION not in refused.text
    assert catalogs(project) == before
    # With a key that makes it be done once, it is not done either.
    again = narrow.request(
        call[0], call[1], json=call[2], headers={**SEMANTIC, "idempotency-key": '"8e03978e40d5"'}
    )
    assert not again.is_success
    assert catalogs(project) == before
    allowed = sent(wide, call)
    assert allowed.is_success, allowed.text
    after = catalogs(project)
    assert after[PRODUCTION] != before[PRODUCTION]
    assert after[STAGING] != before[STAGING]


def test_what_is_an_environment_s_own_needs_no_more(
    project: httpx.Client, narrow: httpx.Client
) -> None:
    before = catalogs(project)[PRODUCTION]
    segment = narrow.post("/v1/segments?segmentId=own", json={})
    assert segment.status_code == 200, segment.text
    made = narrow.post("/v1/workflows/abtest/instances", json={"displayName": "Own"})
    assert made.status_code == 200, made.text
    switched = sent(
        narrow,
        ("PATCH", f"{LAUNCHDARKLY}/some-flag", patched({"kind": "turnFlagOff"})),
    )
    assert switched.status_code == 200, switched.text
    assert catalogs(project)[PRODUCTION] == before


def test_a_new_space_is_copied_from_one_that_its_maker_reaches(
    server: Server, project: httpx.Client
) -> None:
    name = {"name": "web/preview"}
    with calling(server, "admin", "*/preview") as outside:
        for body in (name, {**name, "copy_from": PRODUCTION}):
            refused = outside.post("/v1/spaces", json=body)
            assert refused.status_code == 403, refused.text
            assert PRODUCTION not in refused.text
        assert name["name"] not in project.get("/v1/spaces").text
        # Where there is nothing to copy, there is nothing to be reached.
        assert outside.post("/v1/spaces", json={"name": "other/preview"}).status_code == 201
    with calling(server, "admin", "web/*") as inside:
        assert inside.post("/v1/spaces", json=name).json()["revision"] == 1
