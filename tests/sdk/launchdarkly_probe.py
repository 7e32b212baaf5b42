"""Walk a LaunchDarkly-style API with the real client and print PASS or FAIL for each step.

    python launchdarkly_probe.py http://127.0.0.1:8080 --token T [--project P] [--env E]

It needs launchdarkly-api alone, and asks for everything through it, but for the few requests that
this client cannot make. What the client reads it also checks: a field that is missing or of another
type is an error. It makes flags, experiments, a layer and a holdout with keys that nobody has.
"""

import json
import sys
from typing import Any

import launchdarkly_api as ld
import urllib3
from walking import (
    ASKED,
    EXPERIMENTS,
    FLAGS,
    HOLDOUTS,
    LAYERS,
    RUN,
    SEMANTIC,
    E,
    P,
    configured,
    key,
    refused,
    step,
    walk,
)

EVERYTHING = (
    "previousIterations,draftIteration,secondaryMetrics,treatments,analysisConfig,"
    "mutableFieldsByStatus"
)

POOL = urllib3.PoolManager()


def raw(method: str, path: str, body: bytes, content_type: str) -> tuple[int, Any]:
    """What the client cannot send."""
    headers = {"authorization": ASKED.token, "content-type": content_type}
    answer = POOL.request(method, f"{ASKED.url}{path}", body=body, headers=headers)
    return answer.status, json.loads(answer.data)


# What is asked.


FLAG = key("button")
VARIATIONS: dict[str, str] = {}


def treatments(*percents: str) -> list[Any]:
    return [
        ld.TreatmentInput(
            name=name,
            baseline=name == "Control",
            allocation_percent=percent,
            parameters=[ld.TreatmentParameterInput(flag_key=FLAG, variation_id=VARIATIONS[value])],
        )
        for (name, value), percent in zip(
            (("Control", "red"), ("Green", "green")), percents, strict=True
        )
    ]


def iteration(*percents: str, **more: Any) -> Any:
    flag = ld.FlagInput(
        rule_id="fallthrough",
        flag_config_version=1,
        not_in_experiment_variation_id=VARIATIONS["red"],
    )
    return ld.IterationInput(
        hypothesis="Green sells more",
        can_reshuffle_traffic=True,
        metrics=[
            ld.MetricInput(key="sales", is_group=False),
            ld.MetricInput(key="steps", is_group=True),
            ld.MetricInput(key="errors"),
        ],
        primary_single_metric_key="sales",
        treatments=treatments(*(percents or ("50", "50"))),
        flags={FLAG: flag},
        randomization_unit="user",
        attributes=["country"],
        **more,
    )


def create(word: str, *percents: str, **more: Any) -> Any:
    body = ld.ExperimentPost(
        name=f"Experiment {word}", key=key(word), iteration=iteration(*percents), **more
    )
    return EXPERIMENTS.create_experiment(P, E, body)


def patch(word: str, *instructions: Any, told: dict[str, Any] | None = None) -> Any:
    steps = [{"kind": one} if isinstance(one, str) else one for one in instructions]
    body = ld.ExperimentPatchInput(comment="the probe", instructions=steps)
    told = {"_content_type": SEMANTIC} if told is None else told
    return EXPERIMENTS.patch_experiment(P, E, key(word), body, **told)


def get(word: str, expand: str | None = EVERYTHING) -> Any:
    return EXPERIMENTS.get_experiment(P, E, key(word), expand=expand)


def listed(**options: Any) -> list[str]:
    found = EXPERIMENTS.get_experiments(P, E, **options)
    return [one.key.removesuffix(f"-{RUN}") for one in found.items]


def start(why: str | None = None) -> Any:
    return {"kind": "startIteration", **({} if why is None else {"changeJustification": why})}


def stop(winner: str | None, why: str = "it sells") -> Any:
    named = {} if winner is None else {"winningTreatmentId": winner}
    return {"kind": "stopIteration", "winningReason": why, **named}


def flag_patch(*instructions: Any) -> Any:
    """The client speaks JSON patch to flags."""
    return raw(
        "PATCH",
        f"/api/v2/flags/{P}/{FLAG}",
        json.dumps({"environmentKey": E, "instructions": list(instructions)}).encode(),
        SEMANTIC,
    )


# The steps, in their order.


@step
def a_flag_is_created_and_turned_on() -> None:
    body = ld.FeatureFlagBody(
        name="Button",
        key=FLAG,
        variations=[ld.Variation(value=each, name=each) for each in ("red", "green", "blue")],
    )
    made = FLAGS.post_feature_flag(P, body)
    VARIATIONS.update({one.name: one.id for one in made.variations})
    assert len(set(VARIATIONS.values())) == 3


@step
def an_experiment_is_created_with_201_and_a_draft() -> None:
    made = create(
        "colour",
        "0",
        "0",
        description="Which colour sells",
        tags=["shop"],
        methodology="bayesian",
        maintainer_id="12ab3c45de678910fgh12345",
    )
    assert made is not None, "the client reads an experiment from 201 alone"
    assert (made.key, made.name) == (key("colour"), "Experiment colour")
    assert made.current_iteration is None
    draft = made.draft_iteration
    assert (draft.status, draft.hypothesis) == ("not_started", "Green sells more")
    assert [one.name for one in draft.treatments] == ["Control", "Green"]
    assert (made.description, made.tags, made.methodology) == (
        "Which colour sells",
        ["shop"],
        "bayesian",
    )


@step
def a_key_is_taken_once() -> None:
    with refused(409, "key_exists"):
        create("colour")


@step
def an_experiment_without_a_primary_metric_is_refused() -> None:
    body = iteration()
    body.primary_single_metric_key = None
    with refused(400, "invalid_request"):
        post = ld.ExperimentPost(name="x", key=key("bad"), iteration=body)
        EXPERIMENTS.create_experiment(P, E, post)
    with refused(404):
        EXPERIMENTS.get_experiment(P, E, key("bad"))


@step
def percentages_above_100_are_refused() -> None:
    with refused(400, "invalid_request"):
        create("bad", "60", "50")


@step
def the_summary_lacks_what_expand_brings() -> None:
    plain, whole = get("colour", None), get("colour")
    assert plain.draft_iteration is None
    assert whole.draft_iteration is not None
    assert whole.mutable_fields_by_status is not None
    assert get("colour", "draftIteration").draft_iteration.treatments is None
    metrics = whole.draft_iteration.metrics
    assert [one.key for one in metrics] == ["sales", "steps", "errors"]
    assert [one.key for one in whole.draft_iteration.secondary_metrics] == ["errors"]


@step
def lists_are_filtered() -> None:
    create("other")
    mine = f"flagKey:{FLAG}"
    assert sorted(listed(filter=mine)) == ["colour", "other"]
    assert listed(filter=f"{mine},status:running") == []
    assert sorted(listed(filter=f"{mine},status:not_started,metricKey:sales")) == [
        "colour",
        "other",
    ]
    assert listed(filter=f"{mine},metricKey:nothing") == []
    with refused(400):
        listed(filter="colour")
    with refused(400):
        listed(filter="status:paused")


@step
def lists_come_in_pages() -> None:
    mine = f"flagKey:{FLAG}"
    first = EXPERIMENTS.get_experiments(P, E, filter=mine, limit=1)
    assert (first.total_count, len(first.items)) == (2, 1)
    assert first.links["next"].href
    second = EXPERIMENTS.get_experiments(P, E, filter=mine, limit=1, offset=1)
    assert {first.items[0].key, second.items[0].key} == {key("colour"), key("other")}
    assert listed(filter=mine, limit=5, offset=2) == []
    for wrong in ({"limit": 0}, {"offset": -1}):
        with refused(400):
            listed(**wrong)


@step
def the_lists_of_all_environments_have_it() -> None:
    found = EXPERIMENTS.get_experiments_any_env(P, filter=f"flagKey:{FLAG}", expand=EVERYTHING)
    assert {one.key for one in found.items} >= {key("colour"), key("other")}
    assert {one.environment_key for one in found.items} >= {E}


@step
def without_the_header_it_is_no_semantic_patch() -> None:
    with refused(400, "invalid_request"):
        patch("colour", "archiveExperiment", told={})
    with refused(400, "invalid_request"):
        patch("colour", "archiveExperiment", told={"_headers": {"Content-Type": SEMANTIC}})
    assert get("colour").archived_date is None


@step
def it_is_renamed_and_described() -> None:
    named = {"kind": "updateName", "value": "New name"}
    described = {"kind": "updateDescription", "value": "New text"}
    shown = patch("colour", named, described)
    assert (shown.name, shown.description) == ("New name", "New text")
    assert get("colour", None).name == "New name"


@step
def all_instructions_are_followed_or_none() -> None:
    with refused(400, "invalid_request"):
        patch("colour", {"kind": "updateName", "value": "Half done"}, "bogus")
    with refused(400):
        patch("colour", {"kind": "updateName", "value": "Half done"}, start())
    assert get("colour", None).name == "New name"


@step
def nothing_starts_without_a_percentage() -> None:
    with refused(400, "invalid_request"):
        patch("colour", start())


@step
def a_draft_is_replaced_and_answered_with_200() -> None:
    made = EXPERIMENTS.create_iteration(P, E, key("colour"), iteration("40", "40"))
    assert made is not None, "the client reads an iteration from 200 alone"
    assert made.status == "not_started"
    assert [one.allocation_percent for one in made.treatments] == ["40", "40"]
    assert get("colour").draft_iteration.id == made.id


@step
def nothing_starts_behind_a_flag_that_is_off() -> None:
    assert flag_patch({"kind": "turnFlagOff"})[0] == 200
    with refused(400, "invalid_request"):
        patch("colour", start())
    assert flag_patch({"kind": "turnFlagOn"})[0] == 200


@step
def it_starts() -> None:
    shown = patch("colour", start())
    assert shown.draft_iteration is None
    current = shown.current_iteration
    assert current.status == "running"
    assert current.started_at >= shown.creation_date
    assert get("colour", None).current_iteration.treatments is None


@step
def starting_over_wants_a_draft_and_a_justification() -> None:
    with refused(400):
        patch("colour", start("again"))
    EXPERIMENTS.create_iteration(P, E, key("colour"), iteration("50", "50"))
    with refused(400, "invalid_request"):
        patch("colour", start())
    shown = patch("colour", start("again"))
    assert shown.current_iteration.status == "running"
    assert [one.status for one in shown.previous_iterations] == ["stopped"]


@step
def a_running_one_is_not_archived() -> None:
    with refused(400):
        patch("colour", "archiveExperiment")


@step
def it_stops_with_a_winner_of_its_own() -> None:
    with refused(400, "invalid_request"):
        patch("colour", stop("122c9f3e-da26-4321-ba68-e0fc02eced58"))
    previous = get("colour").previous_iterations[0].treatments[0].id
    with refused(400):
        patch("colour", stop(previous))
    winner = get("colour").current_iteration.treatments[1].id
    current = patch("colour", stop(winner)).current_iteration
    assert (current.status, current.winning_reason) == ("stopped", "it sells")
    assert current.winning_treatment_id == winner
    assert current.ended_at >= current.started_at


@step
def it_stops_once() -> None:
    winner = get("colour").current_iteration.treatments[1].id
    with refused(400, "invalid_request"):
        patch("colour", stop(winner))


@step
def it_does_not_stop_without_a_winner() -> None:
    patch("other", start())
    with refused(400):
        patch("other", stop(None))


@step
def it_does_not_start_again_without_a_new_iteration() -> None:
    with refused(400):
        patch("colour", start("again"))


@step
def several_instructions_are_one_change() -> None:
    EXPERIMENTS.create_iteration(P, E, key("colour"), iteration())
    shown = patch("colour", {"kind": "updateName", "value": "Third"}, start())
    assert (shown.name, shown.current_iteration.status) == ("Third", "running")
    assert len(shown.previous_iterations) == 2
    winner = shown.current_iteration.treatments[0].id
    shown = patch("colour", stop(winner), "archiveExperiment")
    assert shown.archived_date is not None


@step
def what_is_archived_is_listed_where_it_is_asked_for() -> None:
    mine = f"flagKey:{FLAG}"
    assert listed(filter=mine) == ["other"]
    assert listed(filter=mine, lifecycle_state="archived") == ["colour"]
    assert sorted(listed(filter=mine, lifecycle_state="active,archived")) == ["colour", "other"]
    with refused(400):
        listed(lifecycle_state="gone")


@step
def what_is_archived_does_not_start() -> None:
    with refused(400):
        EXPERIMENTS.create_iteration(P, E, key("colour"), iteration())
    with refused(400, "invalid_request"):
        patch("colour", start())


@step
def it_is_restored() -> None:
    shown = patch("colour", "restoreExperiment")
    assert shown.archived_date is None
    assert patch("colour", "restoreExperiment").archived_date is None, "twice is no error"
    EXPERIMENTS.create_iteration(P, E, key("colour"), iteration())
    assert patch("colour", start()).current_iteration.status == "running"


@step
def fields_are_changed_by_name() -> None:
    value = {
        "name": {"operation": "update", "value": "Fourth"},
        "tags": {"operation": "add", "value": ["more"]},
        "maintainerId": {"operation": "update", "value": "569f183514f4432160000007"},
        "metrics": {"operation": "add", "value": {"key": "returns"}},
        "attributes": {"operation": "add", "value": ["os"]},
    }
    shown = patch("colour", {"kind": "updateExperimentFields", "value": value})
    assert (shown.name, shown.tags) == ("Fourth", ["shop", "more"])
    assert shown.maintainer_id == "569f183514f4432160000007"
    assert shown.current_iteration.metrics[-1].key == "returns"
    assert shown.current_iteration.attributes == ["country", "os"]
    allowed = shown.mutable_fields_by_status
    assert allowed.running["metrics"] == ["add"]
    assert "treatments" in allowed.not_started
    assert "treatments" not in allowed.running


@step
def fields_that_are_fixed_are_refused() -> None:
    for field, edit in (
        ("hypothesis", {"operation": "update", "value": "Other"}),
        ("metrics", {"operation": "remove", "value": "sales"}),
        ("treatments", {"operation": "update", "value": []}),
        ("bogus", {"operation": "update", "value": 1}),
    ):
        with refused(400, "invalid_request"):
            patch("colour", {"kind": "updateExperimentFields", "value": {field: edit}})


@step
def an_edited_copy_starts() -> None:
    before = get("colour")
    value = {"hypothesis": {"operation": "update", "value": "Blue sells more"}}
    again = {"kind": "saveAndStartNewIteration", "changeJustification": "new idea", "value": value}
    shown = patch("colour", again)
    assert shown.current_iteration.hypothesis == "Blue sells more"
    assert shown.current_iteration.status == "running"
    assert shown.current_iteration.id != before.current_iteration.id
    assert len(shown.previous_iterations) == len(before.previous_iterations) + 1


@step
def what_is_not_there_is_not_found() -> None:
    for asked in (
        lambda: EXPERIMENTS.get_experiment(P, E, key("none")),
        lambda: EXPERIMENTS.get_experiment(P, "nowhere", key("colour")),
        lambda: EXPERIMENTS.create_iteration(P, E, key("none"), iteration()),
        lambda: patch("none", start()),
        lambda: EXPERIMENTS.get_experiment(P, E, "a/b c"),
    ):
        with refused(404):
            asked()


@step
def a_wrong_token_is_refused_and_a_bearer_is_taken() -> None:
    for wrong in ("wrong", "Bearer wrong"):
        with refused(401):
            ld.ExperimentsApi(configured(wrong)).get_experiments(P, E)
    bearer = configured(ASKED.token)
    bearer.configuration.api_key_prefix["ApiKey"] = "Bearer"
    ld.ExperimentsApi(bearer).get_experiments(P, E)


@step
def a_client_that_says_so_everywhere_is_understood() -> None:
    client = configured(ASKED.token)
    client.set_default_header("Content-Type", SEMANTIC)
    one = ld.ExperimentsApi(client)
    assert one.get_experiment(P, E, key("colour")).key == key("colour")
    body = ld.ExperimentPatchInput(instructions=[{"kind": "updateName", "value": "Fifth"}])
    assert one.patch_experiment(P, E, key("colour"), body).name == "Fifth"


@step
def raw_requests_are_answered_as_the_vendor_does() -> None:
    path = f"/api/v2/projects/{P}/environments/{E}/experiments/{key('colour')}"
    good = b'{"instructions":[{"kind":"updateName","value":"Sixth"}]}'
    for body, content_type, status in (
        (b"{", SEMANTIC, 400),
        (b"[]", SEMANTIC, 422),
        (b'[{"op":"replace","path":"/name","value":"x"}]', SEMANTIC, 422),
        (b'[{"op":"replace","path":"/name","value":"x"}]', "application/json", 400),
        (good, SEMANTIC.replace("; ", ";"), 200),
        (good, f"{SEMANTIC}; charset=utf-8", 200),
    ):
        assert raw("PATCH", path, body, content_type)[0] == status, (body, content_type)
    status, body = raw("DELETE", path, b"", "application/json")
    assert (status, body["code"]) == (405, "method_not_allowed")


@step
def settings_are_put_and_read() -> None:
    units = [
        ld.RandomizationUnitInput(randomization_unit="user", default=True),
        ld.RandomizationUnitInput(randomization_unit="org"),
    ]
    put = ld.RandomizationSettingsPut(randomization_units=units)
    EXPERIMENTS.put_experimentation_settings(P, put)
    shown = EXPERIMENTS.get_experimentation_settings(P)
    assert [one.randomization_unit for one in shown.randomization_units] == ["user", "org"]


LAYER = key("checkout")


@step
def a_layer_is_created_with_201() -> None:
    post = ld.LayerPost(key=LAYER, name="Checkout", description="Its flow")
    assert LAYERS.create_layer(P, post).key == LAYER
    with refused(409, "key_exists"):
        LAYERS.create_layer(P, post)


@step
def an_experiment_reserves_part_of_a_layer() -> None:
    def update(*instructions: Any) -> Any:
        body = ld.LayerPatchInput(environment_key=E, instructions=list(instructions))
        return LAYERS.update_layer(P, LAYER, body, _content_type=SEMANTIC)

    def reserve(word: str, percent: int) -> Any:
        return {
            "kind": "updateExperimentReservation",
            "experimentKey": key(word),
            "reservationPercent": percent,
        }

    create("inside")
    create("beside")
    update(reserve("inside", 10), reserve("beside", 70))
    with refused(400):
        update(reserve("inside", 31))
    found = LAYERS.get_layers(P, filter=f"reservations.experimentKey contains {key('inside')}")
    assert [one.key for one in found.items] == [LAYER]
    patch("inside", start())
    running = get("inside").current_iteration.layer_snapshot
    assert (running.key, running.reservation_percent) == (LAYER, 10)
    shown = patch("inside", stop(get("inside").current_iteration.treatments[0].id))
    update(reserve("inside", 5), reserve("beside", 95))
    snapshot = get("inside").current_iteration.layer_snapshot
    assert snapshot == shown.current_iteration.layer_snapshot == running
    assert snapshot.other_reservation_percent == 70


@step
def a_holdout_is_created_with_201_and_takes_experiments() -> None:
    post = ld.HoldoutPostRequest(
        name="Quarter",
        key=key("quarter"),
        randomizationunit="user",
        holdoutamount="5",
        primarymetrickey="sales",
        prerequisiteflagkey=FLAG,
        metrics=[ld.MetricInput(key="sales")],
        attributes=["country"],
    )
    made = HOLDOUTS.post_holdout(P, E, post)
    assert (made.status, made.holdout_amount) == ("created", "5")
    shown = create("held", holdout_id=made.id)
    assert shown.holdout_id == made.id
    again = HOLDOUTS.get_holdout_by_id(P, E, made.id)
    assert (again.id, again.status) == (made.id, "enabled")
    patch("held", start())
    assert HOLDOUTS.get_holdout(P, E, key("quarter")).status == "running"
    assert HOLDOUTS.get_all_holdouts(P, E).items
    with refused(400):
        create("bad", holdout_id="0" * 24)


if __name__ == "__main__":
    sys.exit(walk())
