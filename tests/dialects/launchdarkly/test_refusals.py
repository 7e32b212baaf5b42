"""What LaunchDarkly's API refuses, each with its exact status; nothing of it happens."""

from functools import partial
from typing import Any
from urllib.parse import urlencode

import pytest

from allotment.change.commands import Create, Reserve, SwitchFlag
from allotment.dialects.launchdarkly.experiment_views import get_experiments
from allotment.dialects.launchdarkly.experiments import create_experiment
from allotment.dialects.launchdarkly.holdout_views import get_all_holdouts
from allotment.dialects.launchdarkly.holdouts import post_holdout
from allotment.dialects.launchdarkly.ids import id_of
from allotment.dialects.launchdarkly.iterations import create_iteration
from allotment.model.flag import FlagState
from allotment.model.layer import Holdout, Layer
from ldproject import SEMANTIC, Environment, halves, iteration, refusal, treatment, variation
from ldpure import Dialect

INVALID = (400, "invalid_request")
STOP = {"kind": "stopIteration"}
START_OVER = {"kind": "startIteration", "changeJustification": "because"}

FLAG = {"ruleId": "fallthrough", "flagConfigVersion": 1}
TWICE = [{"flagKey": "button", "variationId": variation(each)} for each in ("red", "green")]
BASELINES = [{**one, "baseline": True} for one in halves()]

BROKEN: list[dict[str, Any]] = [
    {"treatments": halves("60", "50")},
    {"treatments": halves("-1", "50")},
    {"treatments": halves("1e1", "50")},
    {"treatments": [treatment("One", "", "red")]},
    {"treatments": [{**treatment("One", "5", "red"), "allocationPercent": 5}]},
    {"treatments": [treatment("One", "5", "none")]},
    {"treatments": [treatment("One", "5", "red"), treatment("One", "5", "green")]},
    {"treatments": [treatment("One", "5", "red", parameters=[])]},
    {"treatments": [treatment("One", "5", "red", parameters=TWICE)]},
    {"treatments": BASELINES},
    {"treatments": None},
    {"flags": {"other": FLAG}},
    {"flags": {}},
    {"flags": {"button": {"ruleId": "fallthrough"}}},
    {"flags": {"button": {**FLAG, "flagConfigVersion": 1.5}}},
    {"flags": {"button": {**FLAG, "notInExperimentVariationId": "x"}}},
    {"primarySingleMetricKey": 7},
    {"metrics": [{"key": "sales"}, {"key": "sales"}]},
    {"metrics": "sales"},
    {"randomizationUnit": "a kind of unit"},
    {"canReshuffleTraffic": "yes"},
    {"reallocationFrequencyMillis": -1},
    {"attributes": [1]},
    {"hypothesis": None},
]
FOREIGN: list[dict[str, Any]] = [
    {"holdoutId": "0" * 24},
    {"holdoutId": "none"},
    {"methodology": "guess"},
    {"dataSource": "databricks"},
    {"type": "holdout"},
    {"analysisConfig": {"multipleComparisonCorrectionMethod": "none"}},
    {"analysisConfig": {"bayesianThreshold": 95}},
    {"tags": "one"},
    {"maintainerId": ""},
    {"name": ""},
    {"name": "a\0b"},
    {"description": 7},
]


@pytest.fixture
def dialect() -> Dialect:
    made = Dialect()
    made.flag()
    return made


def experiment(said: Any, **more: Any) -> dict[str, Any]:
    return {"key": "colour", "name": "Colour", "iteration": said, **more}


@pytest.mark.parametrize("more", BROKEN, ids=lambda more: next(iter(more)))
def test_an_iteration_that_cannot_be(dialect: Dialect, more: dict[str, Any]) -> None:
    assert dialect.refuses(create_experiment, experiment(iteration(**more))) == INVALID
    dialect.experiment(iteration())
    dialect.instruct("colour", "startIteration")
    said = iteration(**more)
    assert dialect.refuses(create_iteration, said, experimentKey="colour") == INVALID


@pytest.mark.parametrize("more", FOREIGN, ids=lambda more: next(iter(more)))
def test_an_experiment_that_cannot_be(dialect: Dialect, more: dict[str, Any]) -> None:
    assert dialect.refuses(create_experiment, experiment(iteration(), **more)) == INVALID


@pytest.mark.parametrize("field", ["key", "name", "iteration"])
def test_what_is_required(dialect: Dialect, field: str) -> None:
    body = experiment(iteration())
    del body[field]
    assert dialect.refuses(create_experiment, body) == INVALID


@pytest.mark.parametrize(
    "field", ["hypothesis", "metrics", "treatments", "flags", "primarySingleMetricKey"]
)
def test_what_an_iteration_requires(dialect: Dialect, field: str) -> None:
    inner = iteration()
    del inner[field]
    assert dialect.refuses(create_experiment, experiment(inner)) == INVALID


def test_a_server_refuses_what_a_reader_does(flagged: Environment) -> None:
    flagged.running()
    before = flagged.catalog
    for path, body in (
        ("/experiments", experiment(iteration(), key="other", methodology="guess")),
        ("/experiments", experiment(iteration(flags={}), key="other")),
        ("/experiments/colour/iterations", iteration(treatments=BASELINES)),
    ):
        assert flagged.refused("POST", path, body) == INVALID
    assert flagged.catalog is before


def test_a_key_that_is_taken_and_one_that_is_none(flagged: Environment) -> None:
    flagged.experiment()
    body = {"key": "colour", "name": "Other", "iteration": iteration()}
    assert flagged.refused("POST", "/experiments", body) == (409, "key_exists")
    for key in ("-x", "a b", "a/b", "", "ü", "x" * 257):
        assert flagged.refused("POST", "/experiments", {**body, "key": key}) == INVALID


def test_what_is_not_there(flagged: Environment) -> None:
    missing = (404, "not_found")
    assert flagged.refused("GET", "/experiments/none") == missing
    assert flagged.refused("POST", "/experiments/none/iterations", iteration()) == missing
    assert flagged.fails("none", "startIteration") == missing
    assert flagged.refused("GET", "/nothing/at/all") == missing
    for place in ("default/environments/nowhere", "default/environments/%E2%82%AC", "%E2%82%AC"):
        flagged.base = f"/api/v2/projects/{place}"
        assert refusal(flagged.send("GET", "/experiments")) == missing


def test_starting_wants_a_weight_a_flag_that_is_on_and_a_draft(api: Environment) -> None:
    api.flag(on=False)
    api.experiment(treatments=halves("0", "0"))
    assert api.fails("colour", "startIteration") == INVALID
    api.apply(SwitchFlag("button", FlagState.ON))
    assert api.fails("colour", "startIteration") == INVALID
    api.post("/experiments/colour/iterations", iteration())
    api.apply(SwitchFlag("button", FlagState.OFF))
    assert api.fails("colour", "startIteration") == INVALID
    api.apply(SwitchFlag("button", FlagState.ON))
    assert api.told("colour", "startIteration")["currentIteration"]["status"] == "running"
    assert api.fails("colour", START_OVER) == INVALID, "there is no draft"


def test_starting_over_wants_a_justification(flagged: Environment) -> None:
    flagged.running()
    flagged.post("/experiments/colour/iterations", iteration())
    assert flagged.fails("colour", "startIteration") == INVALID
    for reason in ("", "   ", "\t\n", "\ufeff\u3000", None):
        blank = {"kind": "startIteration", "changeJustification": reason}
        assert flagged.fails("colour", blank) == INVALID
    shown = flagged.told("colour", START_OVER)
    assert [one["status"] for one in shown["previousIterations"]] == ["stopped"]


def test_stopping_wants_a_winner_of_this_iteration_and_happens_once(flagged: Environment) -> None:
    flagged.experiment()
    draft = flagged.shown("colour")["draftIteration"]["treatments"][0]["_id"]
    assert flagged.fails("colour", {**STOP, "winningTreatmentId": draft}) == INVALID
    flagged.told("colour", "startIteration")
    for winner in ({}, {"winningTreatmentId": "0" * 24}, {"winningTreatmentId": None}):
        assert flagged.fails("colour", {**STOP, **winner}) == INVALID
    stop = {**STOP, "winningTreatmentId": flagged.winner("colour", 1), "winningReason": "sells"}
    current = flagged.told("colour", stop)["currentIteration"]
    assert (current["status"], current["winningReason"]) == ("stopped", "sells")
    assert current["winningTreatmentId"] == stop["winningTreatmentId"]
    assert flagged.fails("colour", stop) == INVALID
    assert flagged.fails("colour", "startIteration") == INVALID, "a new iteration comes first"


def test_an_archived_experiment_does_not_start_and_a_running_one_is_not_archived(
    flagged: Environment,
) -> None:
    flagged.experiment()
    shown = flagged.told("colour", "archiveExperiment")
    assert type(shown["archivedDate"]) is int
    assert flagged.fails("colour", "startIteration") == INVALID
    assert flagged.fails("colour", "restoreExperiment", "startIteration", "bogus") == INVALID
    restored = flagged.told("colour", "restoreExperiment", "startIteration")
    assert "archivedDate" not in restored
    assert flagged.fails("colour", "archiveExperiment") == INVALID
    assert flagged.told("colour", "restoreExperiment") == restored, "it is restored already"


def test_an_experiment_keeps_its_unit_and_its_flags_while_it_runs(flagged: Environment) -> None:
    flagged.flag("banner")
    flagged.running()
    path = "/experiments/colour/iterations"
    assert flagged.refused("POST", path, iteration(randomizationUnit="device")) == INVALID
    other = {"button": {**FLAG, "notInExperimentVariationId": variation("blue")}}
    assert flagged.refused("POST", path, iteration(flags=other)) == INVALID
    both = [
        treatment(name, "50", gives, parameters=[
            {"flagKey": flag, "variationId": variation(gives, flag)}
            for flag in ("button", "banner")
        ])
        for name, gives in (("Control", "red"), ("Green", "green"))
    ]  # fmt: skip
    flags = {"button": FLAG, "banner": FLAG}
    assert flagged.refused("POST", path, iteration(treatments=both, flags=flags)) == INVALID
    flagged.told("colour", {**STOP, "winningTreatmentId": flagged.winner("colour")})
    made = flagged.post(path, iteration(treatments=both, flags=flags))
    assert made["flags"].keys() == {"button", "banner"}
    assert [one.experiment for one in flagged.catalog.flags["banner"].experiments] == ["colour"]
    flagged.post(path, iteration())
    assert not flagged.catalog.flags["banner"].experiments


def test_a_layer_and_a_holdout_exclude_each_other(flagged: Environment) -> None:
    flagged.apply(Create(Holdout("quarter", "salt", 10_000)))
    shown = flagged.experiment(holdoutId=id_of("holdout", "quarter"))
    assert shown["holdoutId"] == id_of("holdout", "quarter")
    assert flagged.catalog.experiments["colour"].holdout == "quarter"
    flagged.experiment("other")
    flagged.apply(Create(Layer("page", "salt")), Reserve("page", "other", 10_000))
    under = {"holdoutId": {"operation": "update", "value": id_of("holdout", "quarter")}}
    assert flagged.fails("other", {"kind": "updateExperimentFields", "value": under}) == INVALID


BODIES: list[tuple[str, bytes, int]] = [
    ("application/json", b'{"instructions": [{"kind": "archiveExperiment"}]}', 400),
    ("application/json", b'[{"op": "replace", "path": "/name", "value": "x"}]', 400),
    ("application/json; domain-model=other", b"{}", 400),
    (SEMANTIC, b'[{"op": "replace", "path": "/name", "value": "x"}]', 422),
    (SEMANTIC, b"[]", 422),
    (SEMANTIC, b"{}", 422),
    (SEMANTIC, b'{"instructions": {}}', 422),
    (SEMANTIC, b'{"instructions": []}', 400),
    (SEMANTIC, b'{"instructions": [{}]}', 400),
    (SEMANTIC, b'{"instructions": ["archiveExperiment"]}', 400),
    (SEMANTIC, b'{"instructions": [{"kind": "deleteExperiment"}]}', 400),
    (SEMANTIC, b'{"instructions": [{"kind": "updateName"}]}', 400),
    (SEMANTIC, b'{"instructions": [{"kind": "updateDescription"}]}', 400),
    (SEMANTIC, b'{"comment": 7, "instructions": [{"kind": "archiveExperiment"}]}', 400),
    (SEMANTIC, b'{"instructions": [{"kind": "archiveExperiment"}', 400),
    (SEMANTIC, b"", 400),
    ("text/plain; domain-model=launchdarkly.semanticpatch", b"{}", 415),
]


@pytest.mark.parametrize(("content_type", "body", "status"), BODIES)
def test_a_body_that_is_no_semantic_patch(
    flagged: Environment, content_type: str, body: bytes, status: int
) -> None:
    flagged.experiment()
    before = flagged.catalog
    answer = flagged.send("PATCH", "/experiments/colour", body, content_type=content_type)
    assert refusal(answer)[0] == status, answer.text
    assert flagged.catalog is before


def test_the_method_of_another_path(flagged: Environment) -> None:
    flagged.experiment()
    for method, path in (("DELETE", "/experiments/colour"), ("PUT", "/experiments")):
        answer = flagged.send(method, path)
        assert refusal(answer) == (405, "method_not_allowed")
    assert "PATCH" in flagged.send("DELETE", "/experiments/colour").headers["allow"]


NO_NUMBERS = (
    "1_0",
    "\u0665",
    " 5 ",
    "5 ",
    "1e1",
    "+5",
    "-5",
    "5.",
    ".5",
    "0x5",
    "5,0",
    "\uff15",
    "",
)


@pytest.mark.parametrize("text", NO_NUMBERS)
def test_a_number_that_comes_as_text_has_one_grammar(dialect: Dialect, text: str) -> None:
    body = experiment(iteration(treatments=halves(text, "50")))
    assert dialect.refuses(create_experiment, body) == INVALID
    holdout = {"key": "quarter", "holdoutamount": text}
    assert dialect.refuses(post_holdout, holdout) == INVALID
    for query in ({"limit": text}, {"offset": text}):
        for view in (get_experiments, get_all_holdouts):
            assert dialect.refused(partial(dialect.list, view, **query)) == INVALID


def test_a_query_of_a_server_has_the_same_grammar(flagged: Environment) -> None:
    for text in NO_NUMBERS:
        assert flagged.refused("GET", f"/experiments?{urlencode({'limit': text})}") == INVALID
