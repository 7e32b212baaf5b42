"""A refusal says by a short word which rule was broken: an API may have its own word for that."""

from __future__ import annotations

import pickle
from dataclasses import replace

import pytest

from allotment.change import commands as c
from allotment.change.apply import apply
from allotment.change.lifecycle import Policy
from allotment.errors import InvalidChange
from allotment.model.catalog import Catalog
from allotment.model.experiment import State
from allotment.model.flag import Flag, FlagState, Variation
from allotment.model.layer import Holdout, Layer
from nouns import EVERYONE, TREATMENTS, catalog, changed, experiment, iteration

WHOLE = replace(EVERYONE, weights=(("green", 100),))
RUNNING = catalog(experiment())
STOPPED = catalog(experiment("checkout", iteration(State.STOPPED)))
ONE = catalog(Flag("f", (Variation("x", "1"),), "x", state=FlagState.OFF))
HELD = catalog(Holdout("q4", "", 1), Layer("pages", ""), experiment(holdout="q4"))


@pytest.mark.parametrize(
    ("base", "policy", "command", "code"),
    [
        # Auth0: pause before editing allocations; an edit is told from a transition.
        (RUNNING, "auth0", c.SetAllocations("checkout", (WHOLE,)), "not_while_running"),
        (RUNNING, "auth0", c.SetTreatments("checkout", TREATMENTS, None), "not_while_running"),
        (RUNNING, "auth0", c.Delete("experiment", "checkout"), "not_while_running"),
        (RUNNING, "auth0", c.StartIteration("checkout"), "no_way_from_running"),
        (RUNNING, "auth0", c.ArchiveExperiment("checkout"), "no_way_from_running"),
        (STOPPED, "auth0", c.StartIteration("checkout"), "no_way_from_stopped"),
        (STOPPED, "auth0", c.ResumeIteration("checkout"), "no_way_from_stopped"),
        (STOPPED, "auth0", c.SetIntake("checkout", open=False), "not_while_stopped"),
        (RUNNING, "auth0", c.SwitchFlag("button", FlagState.OFF), "no_way_from_on"),
        (ONE, "auth0", c.SwitchFlag("f", FlagState.ON), "few_variations"),
        (RUNNING, "native", c.StartIteration("checkout", "why"), "no_draft"),
        (
            changed(RUNNING, c.DraftIteration("checkout", iteration())),
            "native",
            c.StartIteration("checkout"),
            "no_justification",
        ),
        (RUNNING, "launchdarkly", c.EndIteration("checkout"), "no_winner"),
        (HELD, "launchdarkly", c.Reserve("pages", "checkout", 1_000_000), "layer_and_holdout"),
        (RUNNING, "native", c.SetAllocations("checkout", ()), "no_allocation"),
        (RUNNING, "native", c.SetTreatments("checkout", (), None), "no_treatment"),
        (
            RUNNING,
            "native",
            c.SetWeights("checkout", "everyone", (("control", 101),), 100),
            "weights",
        ),
    ],
)
def test_a_refusal_has_the_code_of_its_rule(
    base: Catalog, policy: str, command: c.Command, code: str
) -> None:
    with pytest.raises(InvalidChange) as refusal:
        apply(base, [command], Policy(policy))
    assert refusal.value.code == code
    assert pickle.loads(pickle.dumps(refusal.value)).code == code
