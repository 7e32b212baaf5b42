"""The index of who depends on what follows every change without a rescan."""

from __future__ import annotations

import pytest

from allotment.change import commands as c
from allotment.change.references import FLOWING, with_users
from allotment.model.catalog import Catalog, identity
from allotment.model.experiment import State
from allotment.model.flag import FlagExperiment, Variation
from allotment.model.layer import Holdout, Layer
from allotment.model.segment import AnyOf, InSegment, Not, Sample, Segment
from nouns import FLAG, TREATMENTS, catalog, changed, experiment, iteration


@pytest.fixture(scope="module")
def base() -> Catalog:
    """`a` asks for `outer`, which leads to `middle`; `inner` is named by nobody yet."""
    return catalog(
        Segment("inner"),
        Segment("middle"),
        Segment("outer", rules=(Not(InSegment("middle")),)),
        Holdout("q4", "", 1),
        Layer("pages", ""),
        experiment("a", iteration(audience="outer")),
        experiment("b", iteration(State.STOPPED)),
    )


FLOW = "auth0/authentication_flow"
ASKS = c.SetAudience("a", "inner")
LEADS_ON = c.SetRules("middle", (AnyOf((InSegment("inner"),)),))


@pytest.mark.parametrize(
    ("commands", "name", "users"),
    [
        ([], "segment:middle", {"a"}),
        ([], "segment:inner", set()),
        ([LEADS_ON], "segment:inner", {"a"}),
        ([LEADS_ON], "inside:inner", {"middle"}),
        ([LEADS_ON, c.SetRules("outer", ())], "segment:inner", set()),
        ([LEADS_ON, c.SetAudience("a", None)], "segment:inner", set()),
        ([LEADS_ON, c.SetAudience("a", "inner")], "segment:middle", set()),
        ([c.DraftIteration("a", iteration(audience="inner"))], "segment:inner", {"a"}),
        ([], "flag:button", {"a", "b"}),
        ([c.ArchiveExperiment("b")], "flag:button", {"a"}),
        ([c.SetTreatments("a", (TREATMENTS[0], TREATMENTS[1]), None)], "flag:button", {"a", "b"}),
        ([c.SetHoldout("a", "q4")], "holdout:q4", {"a"}),
        ([c.SetHoldout("a", "q4"), c.SetHoldout("a", None)], "holdout:q4", set()),
        ([c.Reserve("pages", "b", 1)], "layer:pages", {"b"}),
        ([c.Reserve("pages", "b", 1), c.Release("b")], "layer:pages", set()),
        ([ASKS, c.SetSample("inner", Sample(5, "pages"))], "layer:pages", {"a"}),
        ([ASKS, c.SetSample("inner", Sample(5, "pages"))], "sampled:pages", {"inner"}),
        ([ASKS, c.SetSample("inner", Sample(5, "pages")), c.SetAudience("a", None)], "layer:pages",
         set()),
        ([ASKS, c.SetSample("inner", Sample(5, "pages")), c.SetSample("inner", Sample(5))],
         "layer:pages", set()),
        ([c.SetSample("inner", Sample(5, "pages")), c.SetSample("inner", None)], "sampled:pages",
         set()),
        ([c.OrderExperiments("button", (FlagExperiment("b"),))], "experiment:b", {"button"}),
        ([c.DraftIteration("a", iteration(reshuffle=True))], "salt:experiment:a#2", {"a"}),
        ([], "salt:layer:pages", {"pages"}),
        ([c.Delete("holdout", "q4")], "salt:holdout:q4", set()),
        ([], FLOWING, set()),
        ([c.Keep("experiment", "a", FLOW, "1")], FLOWING, {"a"}),
        ([c.Keep("experiment", "b", FLOW, "1")], FLOWING, set()),
        ([c.Keep("experiment", "a", FLOW, "1"), c.PauseIteration("a")], FLOWING, set()),
        ([c.Keep("experiment", "a", FLOW, "1"), c.Keep("experiment", "a", FLOW, None)], FLOWING,
         set()),
        ([], f"id:experiment:{identity('experiment', 'a')}", {"a"}),
        ([], f"id:flag:{identity('flag', 'button')}", {"button"}),
        ([], f"id:segment:{identity('segment', 'inner')}", {"inner"}),
        ([], f"id:layer:{identity('layer', 'pages')}", {"pages"}),
        ([], f"id:holdout:{identity('holdout', 'q4')}", {"q4"}),
        ([c.Delete("holdout", "q4")], f"id:holdout:{identity('holdout', 'q4')}", set()),
        ([], f"id:variation:{identity('variation', 'button', 'green')}", {"button"}),
        ([c.SetVariations("button", (*FLAG.variations, Variation("red", "1")), "red")],
         f"id:variation:{identity('variation', 'button', 'red')}", {"button"}),
        ([c.SetVariations("button", (*FLAG.variations, Variation("red", "1")), "blue"),
          c.SetVariations("button", FLAG.variations, "blue")],
         f"id:variation:{identity('variation', 'button', 'red')}", set()),
        ([c.Rename("flag", "button", "Knopf")], f"id:flag:{identity('flag', 'button')}",
         {"button"}),
    ],
)  # fmt: skip
def test_a_change_is_followed(
    base: Catalog, commands: list[c.Command], name: str, users: set[str]
) -> None:
    together = changed(base, *commands)
    assert set(together.users.get(name, ())) == users
    assert together.users == with_users(together).users
    one_by_one = base
    for command in commands:
        one_by_one = changed(one_by_one, command)
    assert one_by_one.users == together.users
