"""Who made a noun, and who changed it last: the callers, as the journal has them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from allotment.change.commands import Rename
from allotment.store import Scope, Token
from tenant import SPACE, node_over
from workspace import INSTANCES, Workspace

NOUNS = {
    "instance": (INSTANCES, {"displayName": "Greener button"}, {"hypothesis": {"text": "x"}}),
    "segment": ("/segments?segmentId=swedes", {}, {"labels": {"a": "b"}}),
    "flag": ("/flags?flagId=bell", {}, {"description": "It rings"}),
}


@contextmanager
def callers(tmp_path: Path) -> Iterator[dict[str, Workspace]]:
    """A workspace for each of three who have tokens of their own."""
    database = tmp_path / "allotment.db"
    with node_over(database) as (node, runner):
        for name in ("ann", "bob", "cy"):
            digest = sha256(name.encode()).hexdigest()
            node.store.add_token(Token(f"tok-{name}", digest, Scope.ADMIN, "*/*", name, 0))
        runner.run(node.catch_up())
        found = {name: Workspace(node, runner, "/v1") for name in ("ann", "bob", "cy")}
        for name, api in found.items():
            api.authorize(name)
        yield found


def told(shown: Any) -> tuple[str, str]:
    return shown["creator"], shown["updater"]


@pytest.mark.parametrize("kind", NOUNS)
def test_creator_and_updater_are_who_called(tmp_path: Path, kind: str) -> None:
    path, body, change = NOUNS[kind]
    with callers(tmp_path) as by:
        made = by["ann"].post(path, body)
        assert told(made) == ("tok-ann", "tok-ann")
        changed = by["bob"].patch(f"/{made['name']}", change)
        assert told(changed) == ("tok-ann", "tok-bob")
        assert told(by["cy"].get(f"/{made['name']}")) == ("tok-ann", "tok-bob")
        # What changes nothing is changed by nobody.
        assert told(by["cy"].patch(f"/{made['name']}", change)) == ("tok-ann", "tok-bob")


def test_a_variant_is_as_old_as_its_flag_and_changed_with_it(tmp_path: Path) -> None:
    with callers(tmp_path) as by:
        by["ann"].post("/flags?flagId=bell", {})
        made = by["bob"].post("/flags/bell/variants?variantId=loud", {"value": {"size": 3}})
        assert told(made) == ("tok-ann", "tok-bob")
        (listed,) = by["cy"].get("/flags/bell")["variants"]
        assert told(listed) == ("tok-ann", "tok-bob")


def test_the_creator_owns_an_instance_that_says_no_other(tmp_path: Path) -> None:
    with callers(tmp_path) as by:
        made = by["ann"].post(INSTANCES, {"displayName": "Mine"})
        path, revision = f"/{made['name']}", by["ann"].catalog.revision
        assert made["owner"] == "tok-ann"
        assert by["bob"].patch(f"{path}?updateMask=*", made) == made
        assert by["ann"].catalog.revision == revision, "what is sent as it is shown is no change"
        assert by["bob"].patch(path, {"owner": "users/ada"})["owner"] == "users/ada"
        assert by["bob"].patch(path, {"owner": None})["owner"] == "tok-ann"
        clone = by["bob"].post(f"{path}:clone", {"displayName": "Again"})
        assert (told(clone), clone["owner"]) == (("tok-bob", "tok-bob"), "tok-bob")
        found = by["cy"].get(f"{INSTANCES}?filter=owner:tok-ann")["abtests"]
        assert [one["displayName"] for one in found] == ["Mine"]


def test_who_changed_it_through_another_api_is_told_too(tmp_path: Path) -> None:
    with callers(tmp_path) as by:
        made = by["ann"].post(INSTANCES, {"displayName": "Greener button"})
        by["ann"].apply(Rename("experiment", "greener-button", "Green"))
        assert told(by["ann"].get(f"/{made['name']}")) == ("tok-ann", "test")
        by["bob"].node.store.at(SPACE).commit(
            [Rename("experiment", "greener-button", "")], who="", when=datetime.now(UTC), dialect=""
        )
        by["bob"].run(by["bob"].node.catch_up())
        assert told(by["bob"].get(f"/{made['name']}")) == ("tok-ann", "allotment")


def test_a_transition_has_a_status_and_what_is_there_no_time_of_its_end(api: Workspace) -> None:
    """The page shows both; a transition is made at once, and what is deleted is not shown."""
    made = api.draft(5000, 5000)
    for shown in (made, api.move(made, "live"), api.move(made, "ended"), api.get(INSTANCES)):
        one = shown["abtests"][0] if "abtests" in shown else shown
        assert (one["transitionStatus"], one["deleteTime"]) == ({}, None)
