"""What a vendor defines for a project is defined in all of its spaces, in one transaction."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from allotment.change.commands import (
    Command,
    Create,
    Delete,
    Keep,
    Rename,
    Reserve,
    SetVariations,
    SwitchFlag,
)
from allotment.change.lifecycle import Policy
from allotment.errors import InvalidChange
from allotment.model.flag import FlagExperiment, FlagState
from allotment.model.layer import Layer
from allotment.server.sync.node import Node
from allotment.server.sync.project import shared
from allotment.store import Committed
from nouns import FLAG, catalog, experiment
from server.nodes import SPACE

pytestmark = pytest.mark.anyio

STAGING = "default/staging"


async def write(node: Node, *commands: Command, policy: Policy = Policy.AUTH0) -> Committed:
    return await node.write(
        SPACE, lambda _stored: commands, policy=policy, dialect="auth0", who="me"
    )


async def with_staging(node: Node) -> None:
    for name in (STAGING, "other/production"):
        node.store.create_space(name, who="me", when=datetime.now(UTC))
    await node.catch_up()


async def test_a_vendors_flag_is_in_every_space_of_the_project(node: Node) -> None:
    await with_staging(node)
    off = replace(FLAG, state=FlagState.OFF)
    await write(node, Create(off), Rename("flag", "button", "Button"))
    there = node.served(STAGING)
    assert there.stored.catalog.flags["button"].name == "Button"
    assert (there.revision, node.served(SPACE).revision) == (1, 1)
    assert node.served("other/production").revision == 0
    await write(node, SwitchFlag("button", FlagState.ON), Rename("flag", "button", "B"))
    here, there = node.served(SPACE), node.served(STAGING)
    assert here.stored.catalog.flags["button"].state is FlagState.ON
    assert there.stored.catalog.flags["button"] == replace(off, name="B")


async def test_a_change_that_a_sibling_cannot_take_is_made_nowhere(node: Node) -> None:
    await with_staging(node)
    await write(node, Create(FLAG))
    await node.write(STAGING, lambda _stored: [Create(experiment())], dialect="native", who="me")
    with pytest.raises(InvalidChange):
        await write(node, Delete("flag", "button"))
    assert "button" in node.served(SPACE).stored.catalog.flags


async def test_the_native_api_changes_the_space_that_is_meant(node: Node) -> None:
    await with_staging(node)
    await write(node, Create(FLAG), policy=Policy.NATIVE)
    assert node.served(STAGING).revision == 0


def test_what_is_shared_fits_the_sibling() -> None:
    layer = Layer("page", "")
    commands = (
        Create(replace(FLAG, key="new", experiments=(FlagExperiment("checkout"),))),
        Create(FLAG),
        SetVariations("button", FLAG.variations, "green"),
        SetVariations("lacking", FLAG.variations, "green"),
        Keep("flag", "new", "auth0/x", "1"),
        Keep("experiment", "checkout", "auth0/x", "1"),
        Create(layer),
        Reserve("page", "checkout", 5),
        Delete("layer", "page"),
        Rename("layer", "page", "gone by then"),
    )
    assert shared(commands, catalog(experiment()), Policy.AUTH0) == (
        Create(replace(FLAG, key="new")),
        SetVariations("button", FLAG.variations, "blue"),
        Keep("flag", "new", "auth0/x", "1"),
        Create(layer),
        Delete("layer", "page"),
    )


def test_what_a_sibling_serves_by_default_is_its_own() -> None:
    there = catalog(experiment())
    green = SetVariations("button", FLAG.variations, "green")
    assert shared([green], there, Policy.LAUNCHDARKLY) == (replace(green, default="blue"),)
    left = SetVariations("button", FLAG.variations[1:], "green")
    assert shared([left], there, Policy.LAUNCHDARKLY) == (left,)


def test_settings_are_all_spaces_and_archiving_is_launchdarklys() -> None:
    settings = Keep("catalog", "catalog", "launchdarkly/settings", "1")
    archived, off = (SwitchFlag("button", at) for at in (FlagState.ARCHIVED, FlagState.OFF))
    commands, there = (settings, archived, off), catalog(experiment())
    assert shared(commands, there, Policy.LAUNCHDARKLY) == (settings, archived)
    assert shared(commands, there, Policy.AUTH0) == (settings,)
