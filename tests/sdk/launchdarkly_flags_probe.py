"""Walk flags, layers, holdouts and settings of a LaunchDarkly-style API with the real client.

    python launchdarkly_flags_probe.py http://127.0.0.1:8080 --token T [--project P] [--env E]

It needs launchdarkly-api alone, prints PASS or FAIL for each step, and looks at every status, as
this client gives None for a success of another status than the documented one. What it reads it
also checks: a field that is missing or of another type is an error.
"""

import sys
from typing import Any

import launchdarkly_api as ld
from walking import (
    EXPERIMENTS,
    FLAGS,
    HOLDOUTS,
    LAYERS,
    SEMANTIC,
    E,
    P,
    configured,
    key,
    refused,
    step,
    walk,
)


def done(answer: Any, status: int = 200) -> Any:
    """What was read, once the answer had just this status."""
    assert answer.status_code == status, answer.status_code
    assert answer.data is not None
    return answer.data


FLAG, LAYER, HOLDOUT = key("button"), key("page"), key("quarter")
VARIATIONS: dict[str, str] = {}


def experiment(word: str, **more: Any) -> Any:
    """A draft of red against green."""
    treatments = [
        ld.TreatmentInput(
            name=value,
            baseline=value == "red",
            allocation_percent="50",
            parameters=[ld.TreatmentParameterInput(flag_key=FLAG, variation_id=VARIATIONS[value])],
        )
        for value in ("red", "green")
    ]
    iteration = ld.IterationInput(
        hypothesis="Green sells more",
        metrics=[ld.MetricInput(key="sales")],
        primary_single_metric_key="sales",
        treatments=treatments,
        flags={FLAG: ld.FlagInput(rule_id="fallthrough", flag_config_version=1)},
    )
    post = ld.ExperimentPost(key=key(word), name=word, iteration=iteration, **more)
    return EXPERIMENTS.create_experiment(P, E, post)


def start(word: str) -> None:
    body = ld.ExperimentPatchInput(instructions=[{"kind": "startIteration"}])
    EXPERIMENTS.patch_experiment(P, E, key(word), body, _content_type=SEMANTIC)


# Flags.


@step
def a_flag_is_made_with_201() -> None:
    variations = [
        ld.Variation(value=value, name=value.title()) for value in ("red", "green", "blue")
    ]
    body = ld.FeatureFlagBody(name="Button", key=FLAG, variations=variations, tags=["probe"])
    made = done(FLAGS.post_feature_flag_with_http_info(P, body), 201)
    assert [each.value for each in made.variations] == ["red", "green", "blue"]
    assert made.environments[E].on is False
    VARIATIONS.update({each.value: each.id for each in made.variations})
    with refused(409, "key_exists"):
        FLAGS.post_feature_flag(P, body)


@step
def a_flag_without_variations_is_a_boolean_one() -> None:
    body = ld.FeatureFlagBody(name="Plain", key=key("plain"), is_flag_on=True)
    made = done(FLAGS.post_feature_flag_with_http_info(P, body), 201)
    assert (made.kind, made.environments[E].on) == ("boolean", True)


@step
def a_flag_is_shown_alone_and_in_a_list() -> None:
    shown = done(FLAGS.get_feature_flag_with_http_info(P, FLAG))
    assert shown.environments[E].fallthrough.variation == 2
    found = done(FLAGS.get_feature_flags_with_http_info(P, env=E, tag="probe", limit=100))
    (listed,) = (each for each in found.items if each.key == FLAG)
    assert listed.environments[E].environment_name == E
    with refused(404, "not_found"):
        FLAGS.get_feature_flag(P, key("gone"))
    with refused(400):
        FLAGS.get_feature_flags(P, filter="name:button")


@step
def a_flag_is_switched_by_a_json_patch() -> None:
    operation = ld.PatchOperation(op="replace", path=f"/environments/{E}/on", value=True)
    body = ld.PatchWithComment(patch=[operation], comment="on with it")
    shown = done(FLAGS.patch_feature_flag_with_http_info(P, FLAG, body))
    assert shown.environments[E].on is True
    odd = ld.PatchOperation(op="replace", path="/variations/0/value", value=1)
    with refused(400):
        FLAGS.patch_feature_flag(P, FLAG, ld.PatchWithComment(patch=[odd]))


@step
def a_flag_is_deleted_with_204_unless_it_is_used() -> None:
    experiment("user")
    with refused(409, "conflict"):
        FLAGS.delete_feature_flag(P, FLAG)
    gone = FLAGS.delete_feature_flag_with_http_info(P, key("plain"))
    assert gone.status_code == 204
    with refused(404, "not_found"):
        FLAGS.delete_feature_flag(P, key("plain"))


# Layers.


def change_layer(*steps: Any, layer: str = LAYER, **more: Any) -> Any:
    body = ld.LayerPatchInput(instructions=list(steps), **more)
    answer = LAYERS.update_layer_with_http_info(P, layer, body, _content_type=SEMANTIC)
    return done(answer)


def reservation(word: str, percent: int) -> Any:
    kind = "updateExperimentReservation"
    return {"kind": kind, "experimentKey": key(word), "reservationPercent": percent}


@step
def a_layer_is_made_with_201() -> None:
    post = ld.LayerPost(key=LAYER, name="A page", description="Its top")
    made = done(LAYERS.create_layer_with_http_info(P, post), 201)
    assert (made.key, made.name, made.description) == (LAYER, "A page", "Its top")
    assert made.randomization_unit == "user"
    assert made.environments[E].reservations == []
    with refused(409, "key_exists"):
        LAYERS.create_layer(P, post)
    with refused(400):
        LAYERS.create_layer(P, ld.LayerPost(key="a b", name="x", description=""))


@step
def a_layer_is_renamed_and_described() -> None:
    shown = change_layer(
        {"kind": "updateName", "name": "Front"},
        {"kind": "updateDescription", "description": "The front page"},
    )
    assert (shown.name, shown.description) == ("Front", "The front page")


@step
def reservations_share_a_layer_and_never_more_than_it() -> None:
    for word in ("one", "two"):
        experiment(word)
    shown = change_layer(reservation("one", 60), reservation("two", 40), environment_key=E)
    reserved = shown.environments[E].reservations
    assert [(each.experiment_key, each.reservation_percent) for each in reserved] == [
        (key("one"), 60),
        (key("two"), 40),
    ]
    assert {each.flag_key for each in reserved} == {FLAG}
    with refused(400):
        change_layer(reservation("two", 41), environment_key=E)
    with refused(400):
        change_layer(reservation("two", 30))
    with refused(404, "not_found"):
        change_layer(reservation("gone", 1), environment_key=E)
    with refused(404, "not_found"):
        change_layer(reservation("two", 30), environment_key="nowhere")


@step
def layers_are_found_by_an_experiment() -> None:
    wanted = f"reservations.experimentKey contains {key('one')}"
    found = done(LAYERS.get_layers_with_http_info(P, filter=wanted))
    assert ([each.key for each in found.items], found.total_count) == ([LAYER], 1)
    assert LAYER in [each.key for each in LAYERS.get_layers(P).items]
    with refused(400):
        LAYERS.get_layers(P, filter="key:page")


@step
def an_experiment_leaves_its_layer() -> None:
    leave = {"kind": "removeExperiment", "experimentKey": key("two")}
    shown = change_layer(leave, environment_key=E)
    assert [each.experiment_key for each in shown.environments[E].reservations] == [key("one")]
    start("one")
    with refused(400):
        change_layer({**leave, "experimentKey": key("one")}, environment_key=E)
    with refused(400):
        change_layer(reservation("one", 10), environment_key=E)


@step
def a_patch_of_a_layer_says_that_it_is_a_semantic_one() -> None:
    body = ld.LayerPatchInput(instructions=[{"kind": "updateName", "name": "x"}])
    with refused(400):
        LAYERS.update_layer(P, LAYER, body)
    with refused(404, "not_found"):
        change_layer({"kind": "updateName", "name": "x"}, layer=key("gone"))


# Holdouts.


def change_holdout(*steps: Any, holdout: str = HOLDOUT) -> Any:
    body = ld.HoldoutPatchInput(instructions=list(steps), comment="a comment")
    answer = HOLDOUTS.patch_holdout_with_http_info(P, E, holdout, body, _content_type=SEMANTIC)
    return done(answer)


@step
def a_holdout_is_made_with_201() -> None:
    post = ld.HoldoutPostRequest(
        name="Quarter",
        key=HOLDOUT,
        description="Spring",
        randomizationunit="user",
        holdoutamount="5",
        primarymetrickey="sales",
        prerequisiteflagkey=FLAG,
        metrics=[ld.MetricInput(key="sales")],
        attributes=["country"],
        maintainer_id="12ab3c45de678910fgh12345",
    )
    made = done(HOLDOUTS.post_holdout_with_http_info(P, E, post), 201)
    assert (made.status, made.holdout_amount, made.description) == ("created", "5", "Spring")
    assert made.base_experiment.type == "holdout"
    assert made.base_experiment.maintainer_id == "12ab3c45de678910fgh12345"
    with refused(409, "key_exists"):
        HOLDOUTS.post_holdout(P, E, post)
    for amount in ("0", "101", "some"):
        with refused(400):
            HOLDOUTS.post_holdout(P, E, ld.HoldoutPostRequest(key="x", holdoutamount=amount))


@step
def a_holdout_takes_experiments_and_is_shown_in_every_way() -> None:
    identity = HOLDOUTS.get_holdout(P, E, HOLDOUT).id
    for word in ("held", "kept"):
        assert experiment(word, holdout_id=identity).holdout_id == identity
    by_id = done(HOLDOUTS.get_holdout_by_id_with_http_info(P, E, identity))
    assert [each.key for each in by_id.experiments] == [key("held"), key("kept")]
    assert by_id.status == "enabled"
    start("held")
    expand = (
        "draftIteration,previousIterations,secondaryMetrics,treatments,rel-draftIteration,"
        "rel-metrics,rel-previousIterations,rel-secondaryMetrics,rel-treatments"
    )
    shown = done(HOLDOUTS.get_holdout_with_http_info(P, E, HOLDOUT, expand=expand))
    assert (shown.status, shown.is_dirty) == ("running", True)
    assert [each.key for each in shown.related_experiments] == [key("held"), key("kept")]
    assert len(shown.base_experiment.current_iteration.treatments) == 2
    found = done(HOLDOUTS.get_all_holdouts_with_http_info(P, E, limit=100, offset=0))
    (listed,) = (each for each in found.items if each.key == HOLDOUT)
    assert (listed.id, listed.name, listed.status) == (identity, "Quarter", "running")
    assert found.total_count >= 1
    with refused(404, "not_found"):
        HOLDOUTS.get_holdout(P, E, key("gone"))
    with refused(404, "not_found"):
        HOLDOUTS.get_holdout_by_id(P, E, "0" * 24)
    with refused(404, "not_found"):
        HOLDOUTS.get_all_holdouts(P, "nowhere")


@step
def a_holdout_is_changed() -> None:
    shown = change_holdout(
        {"kind": "updateName", "value": "Autumn"},
        {"kind": "updateDescription", "value": "Leaves"},
        {"kind": "removeExperiment", "value": key("kept")},
    )
    assert (shown.base_experiment.name, shown.description) == ("Autumn", "Leaves")
    assert [each.key for each in shown.experiments] == [key("held")]
    with refused(400):
        change_holdout({"kind": "removeExperiment", "value": key("held")})
    with refused(400):
        change_holdout({"kind": "addExperiment", "value": key("kept")})
    with refused(404, "not_found"):
        change_holdout({"kind": "endHoldout"}, holdout=key("gone"))
    with refused(400):
        body = ld.HoldoutPatchInput(instructions=[{"kind": "endHoldout"}])
        HOLDOUTS.patch_holdout(P, E, HOLDOUT, body)


@step
def an_experiment_is_in_a_layer_or_under_a_holdout() -> None:
    with refused(400):
        change_layer(reservation("held", 10), environment_key=E)


@step
def a_holdout_ends() -> None:
    shown = change_holdout({"kind": "endHoldout"})
    assert (shown.status, shown.holdout_amount) == ("ended", "0")


# Settings, and who may ask.


@step
def settings_are_put_and_read() -> None:
    units = [
        ld.RandomizationUnitInput(randomization_unit="user", default=True),
        ld.RandomizationUnitInput(randomization_unit="organization"),
    ]
    put = ld.RandomizationSettingsPut(randomization_units=units)
    shown = done(EXPERIMENTS.put_experimentation_settings_with_http_info(P, put))
    assert [each.default for each in shown.randomization_units] == [True, False]
    again = done(EXPERIMENTS.get_experimentation_settings_with_http_info(P))
    assert again == shown
    assert again.project_key == P
    both = [ld.RandomizationUnitInput(randomization_unit=each, default=True) for each in "ab"]
    with refused(400):
        body = ld.RandomizationSettingsPut(randomization_units=both)
        EXPERIMENTS.put_experimentation_settings(P, body)


@step
def nobody_asks_without_a_token_that_holds() -> None:
    stranger = configured("allot_nobody")
    for ask in (
        lambda: ld.LayersApi(stranger).get_layers(P),
        lambda: ld.HoldoutsApi(stranger).get_all_holdouts(P, E),
        lambda: ld.FeatureFlagsApi(stranger).get_feature_flags(P),
        lambda: ld.ExperimentsApi(stranger).get_experimentation_settings(P),
    ):
        with refused(401, "unauthorized"):
            ask()
    for ask in (
        lambda: LAYERS.get_layers("another"),
        lambda: HOLDOUTS.get_all_holdouts("another", E),
        lambda: FLAGS.get_feature_flags("another"),
        lambda: EXPERIMENTS.get_experimentation_settings("another"),
    ):
        with refused(403, "forbidden"):
            ask()


if __name__ == "__main__":
    sys.exit(walk())
