"""A token that reaches part of a project sees and changes that part of it."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from allotment.store import Scope, Token
from ldproject import SEMANTIC, refusal
from ldwhole import STAGING, Project, instructions, project, reservation
from tenant import SPACE

FLAGS, LAYERS = "/flags/default", "/projects/default/layers"
SETTINGS = "/projects/default/experimentation-settings"


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Project]:
    """With a flag that is on in production, and a layer with a reservation there."""
    with project(tmp_path) as made:
        made.production.flag()
        made.flag("plain")
        made.layer()
        made.production.experiment("inside")
        made.reserve("inside", 30)
        yield made


def token(api: Project, space: str, scope: Scope = Scope.WRITE) -> dict[str, str]:
    """The header with a new token; from now on nobody is let in without one."""
    text = f"allot_{space}_{scope}"
    digest = hashlib.sha256(text.encode()).hexdigest()
    api.node.store.add_token(Token(digest[:16], digest, scope, space, "test", 0, None, None))
    api.run(api.node.catch_up())
    return {"authorization": text}


def test_it_is_shown_the_environments_that_it_reaches(api: Project) -> None:
    staging = token(api, STAGING)
    (layer,) = api.done(api.call("GET", LAYERS, **staging))["items"]
    assert layer["environments"] == {"staging": {"reservations": []}}
    inside = f"{LAYERS}?filter=reservations.experimentKey contains inside"
    assert api.done(api.call("GET", inside, **staging))["items"] == []
    plain = api.done(api.call("GET", f"{FLAGS}/plain", **staging))
    assert list(plain["environments"]) == ["staging"]
    # That flag is production's alone.
    assert refusal(api.call("GET", f"{FLAGS}/button", **staging)) == (404, "not_found")


def test_it_changes_nothing_in_another_environment(api: Project) -> None:
    staging, before = token(api, STAGING), api.at(SPACE)
    sent = {**staging, "content_type": SEMANTIC}
    reserve = instructions(reservation("inside", 50), environmentKey="production")
    switch = instructions("turnFlagOn", environmentKey="production")
    for path, body in ((f"{LAYERS}/page", reserve), (f"{FLAGS}/plain", switch)):
        assert refusal(api.call("PATCH", path, body, **sent)) == (403, "forbidden")
    assert api.at(SPACE) is before


def test_what_is_the_projects_takes_a_token_of_the_whole_project(api: Project) -> None:
    """A layer, a flag and the settings have no environment: a change of them is one of all."""
    rename = instructions({"kind": "updateName", "name": "Front"})
    part = {**token(api, STAGING), "content_type": SEMANTIC}
    assert refusal(api.call("PATCH", f"{LAYERS}/page", rename, **part)) == (403, "forbidden")
    whole = {**token(api, "default/*"), "content_type": SEMANTIC}
    shown = api.done(api.call("PATCH", f"{LAYERS}/page", rename, **whole))
    assert shown["name"] == "Front"
    assert api.at(SPACE).layers["page"].name == "Front"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", LAYERS),
        ("PATCH", f"{LAYERS}/page"),
        ("PUT", SETTINGS),
        ("POST", FLAGS),
        ("PATCH", f"{FLAGS}/plain"),
        ("DELETE", f"{FLAGS}/plain"),
        ("POST", "/projects/default/environments/production/holdouts"),
        ("PATCH", "/projects/default/environments/production/holdouts/gone"),
    ],
)
def test_a_token_to_read_changes_nothing(api: Project, method: str, path: str) -> None:
    """Who may not is told so before anything is looked at, and a stranger likewise."""
    sent = {"content_type": SEMANTIC, **token(api, "default/*", Scope.READ)}
    before = api.at(SPACE)
    assert refusal(api.call(method, path, {}, **sent)) == (403, "forbidden")
    unknown = {**sent, "authorization": "x"}
    assert refusal(api.call(method, path, {}, **unknown)) == (401, "unauthorized")
    elsewhere = token(api, "another/production")
    assert refusal(api.call(method, path, {}, **{**sent, **elsewhere})) == (403, "forbidden")
    assert api.at(SPACE) is before


def test_whoever_asks_for_a_revision_is_shown_no_earlier_one(api: Project) -> None:
    revision = str(api.at(SPACE).revision)
    for path in (LAYERS, FLAGS, SETTINGS, f"{FLAGS}/plain"):
        answer = api.call("GET", path, allotment_min_revision=revision)
        assert answer.status_code == 200
        later = str(api.at(SPACE).revision + 1)
        assert refusal(api.call("GET", path, allotment_min_revision=later))[0] == 412
