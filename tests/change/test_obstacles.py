"""What stands between a draft and its run is what starting refuses, and nothing else is."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from allotment.change import commands as c
from allotment.change.apply import apply
from allotment.change.lifecycle import Policy
from allotment.change.obstacles import ObstacleCode, obstacles
from allotment.errors import AllotmentError, InvalidChange
from allotment.model.catalog import Catalog
from allotment.model.experiment import Allocation, Iteration, State, Treatment
from allotment.model.flag import FlagState
from allotment.model.layer import Layer
from allotment.model.segment import Segment
from nouns import EVERYONE, TREATMENTS, catalog, changed, experiment, iteration
from strategies import catalogs

NATIVE, AUTH0, LAUNCHDARKLY, CONFIDENCE = Policy
EVERY = set(Policy)
CODE = ObstacleCode
START = c.StartIteration("checkout")
DRAFT = iteration(State.DRAFT)
BARE = Iteration(1, (), ())
FLOW = (("auth0/authentication_flow", '"authentication"'),)
NOBODY = replace(EVERYONE, weights=(("control", 0), ("green", 0)))
OVER = replace(EVERYONE, weights=(("control", 50), ("green", 51)))
UNDER = replace(EVERYONE, weights=(("control", 50), ("green", 49)))
NORDIC = replace(EVERYONE, segment="nordics")
IDLE = (Treatment("control"), TREATMENTS[1])


def found(policy: Policy, base: Catalog) -> list[str]:
    return [each.code for each in obstacles(policy, base.experiments["checkout"], base)]


def drafted(draft: Iteration, *commands: c.Command) -> Catalog:
    return changed(catalog(Segment("nordics"), experiment("checkout", draft)), *commands)


STOPPED = c.EndIteration("checkout", "green")


CASES: dict[str, tuple[Catalog, ObstacleCode, set[Policy]]] = {
    "no treatment": (drafted(BARE), CODE.NO_TREATMENT, EVERY),
    "no allocation": (drafted(replace(DRAFT, allocations=())), CODE.NO_ALLOCATION, EVERY),
    "weights over": (drafted(replace(DRAFT, allocations=(OVER,))), CODE.WEIGHTS, EVERY),
    "weights under": (drafted(replace(DRAFT, allocations=(UNDER,))), CODE.WEIGHTS, {AUTH0}),
    "no weight": (
        drafted(replace(DRAFT, allocations=(NOBODY,))),
        CODE.NO_WEIGHT,
        {AUTH0, LAUNCHDARKLY, CONFIDENCE},
    ),
    "flag off": (
        drafted(DRAFT, c.SwitchFlag("button", FlagState.OFF)),
        CODE.FLAG_NOT_ON,
        {AUTH0, LAUNCHDARKLY},
    ),
    "flag archived": (
        drafted(DRAFT, c.SwitchFlag("button", FlagState.ARCHIVED)),
        CODE.FLAG_NOT_ON,
        EVERY,
    ),
    "sets nothing": (drafted(replace(DRAFT, treatments=IDLE)), CODE.FOREIGN_VARIATION, {AUTH0}),
    "no control": (drafted(replace(DRAFT, control=None)), CODE.NO_CONTROL, {AUTH0}),
    "no fallback": (drafted(replace(DRAFT, allocations=(NORDIC,))), CODE.NO_FALLBACK, {AUTH0}),
    "not reshuffled": (
        changed(catalog(experiment()), STOPPED, c.DraftIteration("checkout", DRAFT)),
        CODE.NOT_RESHUFFLED,
        {LAUNCHDARKLY},
    ),
    "nothing reserved": (
        drafted(DRAFT, c.Create(Layer("page", "")), c.Reserve("page", "checkout", 0)),
        CODE.NO_RESERVATION,
        {LAUNCHDARKLY},
    ),
    "another is active": (
        catalog(experiment("checkout", DRAFT, kept=FLOW), experiment("other", kept=FLOW)),
        CODE.ACTIVE_LIMIT,
        {AUTH0},
    ),
}


def test_there_is_a_case_of_every_code() -> None:
    assert {code for _, code, _ in CASES.values()} == set(ObstacleCode)


@pytest.mark.parametrize("policy", Policy)
@pytest.mark.parametrize("case", CASES)
def test_an_obstacle_is_found_and_refused_where_its_policy_minds(case: str, policy: Policy) -> None:
    base, code, minding = CASES[case]
    assert (code in found(policy, base)) == (policy in minding)
    if policy not in minding:
        return
    with pytest.raises(InvalidChange) as refusal:
        apply(base, [START], policy)
    first = obstacles(policy, base.experiments["checkout"], base)[0]
    told = refusal.value.code, refusal.value.message, refusal.value.path
    assert told == (first.code, first.message, first.path)
    assert refusal.value.path.startswith("$.experiments.checkout")


@pytest.mark.parametrize("policy", Policy)
def test_a_complete_draft_has_none(policy: Policy) -> None:
    assert found(policy, drafted(DRAFT)) == []


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(catalogs(), st.sampled_from(Policy))
def test_starting_is_refused_exactly_for_what_is_found(base: Catalog, policy: Policy) -> None:
    for key, one in base.experiments.items():
        if one.draft is None or one.archived or (one.live and policy in (AUTH0, CONFIDENCE)):
            continue  # its status says no before anything is looked at
        try:
            apply(base, [c.StartIteration(key, "why")], policy)
            refused = ""
        except AllotmentError as error:
            refused = error.code
        assert refused == next((each.code for each in obstacles(policy, one, base)), "")


def test_all_of_them_are_told_and_not_the_first_alone() -> None:
    assert found(AUTH0, drafted(BARE)) == ["no_treatment", "no_allocation", "no_control"]
    two = (OVER, replace(UNDER, key="nordics", segment="nordics", priority=2))
    off = drafted(
        replace(DRAFT, allocations=two, control=None), c.SwitchFlag("button", FlagState.OFF)
    )
    assert sorted(found(AUTH0, off)) == [
        "flag_not_on", "no_control", "no_fallback", "weights", "weights",
    ]  # fmt: skip
    paths = {each.path for each in obstacles(AUTH0, off.experiments["checkout"], off)}
    assert "$.experiments.checkout.allocations[1].weights" in paths


def test_allocations_by_segment_with_one_fallback_are_complete() -> None:
    fallback = Allocation("fallback", (("control", 1),), 1, priority=0, fallback=True)
    whole = replace(NORDIC, weights=(("green", 1),), total=1)
    assert found(AUTH0, drafted(replace(DRAFT, allocations=(whole, fallback)))) == []


# Auth0 activates a paused experiment too: it may have been edited meanwhile.

EDITED = c.Keep("experiment", "checkout", "auth0/edited_while_paused", "true")
PAUSED = catalog(experiment("checkout", iteration(State.PAUSED), kept=FLOW))


@pytest.mark.parametrize(
    ("edits", "code"),
    [
        ((c.SetAllocations("checkout", (UNDER,)), EDITED), CODE.WEIGHTS),
        ((c.SetTreatments("checkout", TREATMENTS, None), EDITED), CODE.NO_CONTROL),
        ((c.SwitchFlag("button", FlagState.OFF),), CODE.FLAG_NOT_ON),
        ((c.Create(experiment("other", kept=FLOW)),), CODE.ACTIVE_LIMIT),
    ],
)
def test_what_was_spoilt_while_paused_does_not_resume_in_auth0(
    edits: tuple[c.Command, ...], code: ObstacleCode
) -> None:
    resume = c.ResumeIteration("checkout")
    apply(PAUSED, [resume], AUTH0)
    spoilt = changed(PAUSED, *edits)
    assert found(AUTH0, spoilt) == [code]
    with pytest.raises(InvalidChange) as refusal:
        apply(spoilt, [resume], AUTH0)
    assert refusal.value.code == code
    apply(spoilt, [resume], NATIVE)


@pytest.mark.parametrize(
    "edit",
    [
        c.SetAllocations("checkout", (UNDER,)),
        c.SetTreatments("checkout", TREATMENTS, None),
    ],
)
def test_what_another_api_laid_does_not_keep_auth0_from_resuming(edit: c.Command) -> None:
    laid = changed(PAUSED, edit)
    assert found(AUTH0, laid) == []
    apply(laid, [c.ResumeIteration("checkout")], AUTH0)


def test_a_draft_beside_it_does_not_keep_a_paused_iteration_from_resuming() -> None:
    both = changed(PAUSED, c.DraftIteration("checkout", BARE))
    assert found(NATIVE, both) == ["no_treatment", "no_allocation"]
    apply(both, [c.ResumeIteration("checkout")])


# One active experiment with an authentication flow.

TWO = catalog(
    experiment("checkout", DRAFT, kept=FLOW),
    experiment("other", DRAFT, kept=FLOW),
    experiment("plain", DRAFT),
)
OTHER = c.StartIteration("other")


def test_one_of_those_with_a_flow_is_active_at_a_time() -> None:
    running = apply(TWO, [OTHER], AUTH0).catalog
    for commands in ([START], [c.PauseIteration("other"), c.ResumeIteration("other"), START]):
        with pytest.raises(InvalidChange, match="'other' is active") as refusal:
            apply(running, commands, AUTH0)
        assert refusal.value.code == CODE.ACTIVE_LIMIT
    apply(running, [START], NATIVE)
    with pytest.raises(InvalidChange, match="'other' is active"):
        apply(TWO, [OTHER, START], AUTH0)


@pytest.mark.parametrize(
    "away", [c.PauseIteration("other"), c.EndIteration("other"), c.Keep("experiment", "other",
     "auth0/authentication_flow", None)],
    ids=lambda command: type(command).__name__,
)  # fmt: skip
def test_one_that_is_not_active_or_has_no_flow_does_not_count(away: c.Command) -> None:
    running = apply(TWO, [OTHER], AUTH0).catalog
    apply(running, [away, START], AUTH0)
    apply(changed(running, away), [START], AUTH0)


def test_one_without_a_flow_is_neither_counted_nor_limited() -> None:
    plain = apply(TWO, [c.StartIteration("plain"), START], AUTH0).catalog
    assert found(AUTH0, plain) == []
    apply(apply(TWO, [START], AUTH0).catalog, [c.StartIteration("plain")], AUTH0)


def test_an_active_experiment_is_not_in_its_own_way() -> None:
    assert found(AUTH0, apply(TWO, [START], AUTH0).catalog) == []


def test_of_an_archived_experiment_it_is_told_too_when_its_nouns_are_gone() -> None:
    put_away = changed(
        catalog(Segment("nordics"), experiment("checkout", iteration(audience="nordics"))),
        STOPPED,
        c.ArchiveExperiment("checkout"),
        c.Delete("flag", "button"),
        c.Delete("segment", "nordics"),
    )
    assert found(AUTH0, put_away) == ["flag_not_on", "foreign_variation", "foreign_variation"]
