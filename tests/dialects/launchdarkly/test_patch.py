"""Semantic patches: one change or none, said in the journal, on conditions, once."""

from typing import Any

import pytest

from allotment.dialects.launchdarkly.experiments import mutable_fields
from ldproject import SEMANTIC, Environment, iteration, refusal

INVALID = (400, "invalid_request")
RENAME = {"kind": "updateName", "value": "New"}


def edit(**edits: Any) -> dict[str, Any]:
    value = {field: {"operation": how, "value": value} for field, (how, value) in edits.items()}
    return {"kind": "updateExperimentFields", "value": value}


def test_an_instruction_sees_what_those_before_it_made(flagged: Environment) -> None:
    flagged.experiment()
    revision = flagged.catalog.revision
    shown = flagged.told("colour", RENAME, "startIteration")
    assert (shown["name"], shown["currentIteration"]["status"]) == ("New", "running")
    stop = {"kind": "stopIteration", "winningTreatmentId": flagged.winner("colour")}
    shown = flagged.told("colour", stop, "archiveExperiment", "restoreExperiment")
    assert "archivedDate" not in shown
    assert flagged.catalog.revision == revision + 2


def test_nothing_of_a_patch_is_done_where_one_instruction_fails(flagged: Environment) -> None:
    flagged.experiment()
    for last in ({"kind": "stopIteration"}, "bogus", {"kind": "updateName", "value": ""}):
        assert flagged.fails("colour", RENAME, "startIteration", last) == INVALID
    assert flagged.shown("colour")["name"] == "Colour"


def test_what_is_so_already_is_no_change(flagged: Environment) -> None:
    flagged.experiment()
    before = flagged.catalog
    same = {"kind": "updateName", "value": "Colour"}
    flagged.told("colour", same, "restoreExperiment", {"kind": "updateDescription", "value": ""})
    assert flagged.catalog is before


def test_the_comment_is_in_the_journal(flagged: Environment) -> None:
    flagged.experiment()
    body = {"comment": "as agreed", "instructions": [RENAME]}
    flagged.done(flagged.call("PATCH", "/experiments/colour", body, content_type=SEMANTIC))
    (entry,) = flagged.node.store.journal(limit=1)
    assert (entry.comment, entry.dialect) == ("as agreed", "launchdarkly")


@pytest.mark.parametrize("comment", [None, ""])
def test_a_comment_may_be_null_which_is_none(flagged: Environment, comment: str | None) -> None:
    flagged.experiment()
    body = {"comment": comment, "instructions": [RENAME]}
    shown = flagged.call("PATCH", "/experiments/colour", body, content_type=SEMANTIC)
    assert flagged.done(shown)["name"] == RENAME["value"]
    (entry,) = flagged.node.store.journal(limit=1)
    assert entry.comment == ""


def test_a_condition_holds_for_the_experiment_alone(flagged: Environment) -> None:
    flagged.experiment()
    flagged.experiment("other")
    tag = flagged.call("GET", "/experiments/colour").headers["etag"]
    flagged.told("other", RENAME)
    assert flagged.instruct("colour", RENAME, if_match=tag).status_code == 200
    again = flagged.instruct("colour", {**RENAME, "value": "Newer"}, if_match=tag)
    assert refusal(again) == (412, "precondition_failed")
    made = flagged.call("POST", "/experiments/colour/iterations", iteration(), if_match=tag)
    assert refusal(made) == (412, "precondition_failed")


def test_a_request_that_comes_again_is_answered_again(flagged: Environment) -> None:
    flagged.experiment()
    once = {"idempotency_key": "7"}
    first = flagged.instruct("colour", RENAME, "startIteration", **once)
    again = flagged.instruct("colour", RENAME, "startIteration", **once)
    assert (again.status_code, again.json()) == (200, first.json())
    other = flagged.instruct("colour", "archiveExperiment", **once)
    assert refusal(other) == (422, "invalid_request")
    made: Any = {"key": "second", "name": "Second", "iteration": iteration()}
    answers = [flagged.call("POST", "/experiments", made, idempotency_key="8") for _ in range(2)]
    assert [each.status_code for each in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()


def test_fields_of_a_draft_are_changed_by_name(flagged: Environment) -> None:
    flagged.experiment(tags=["one"], maintainerId="me")
    created = flagged.shown("colour")["draftIteration"]["createdAt"]
    treatments = iteration()["treatments"]
    treatments[0]["allocationPercent"] = "20"
    shown = flagged.told(
        "colour",
        edit(
            name=("update", "New"),
            description=("update", "Text"),
            tags=("add", ["two"]),
            maintainerId=("remove", None),
            methodology=("update", "export_only"),
            analysisConfig=("update", {"testDirection": "two-sided"}),
            hypothesis=("update", "Other"),
            treatments=("update", treatments),
            canReshuffleTraffic=("update", False),
            metrics=("remove", "errors"),
            attributes=("add", "os"),
        ),
    )
    draft = shown["draftIteration"]
    assert (shown["name"], shown["description"], shown["tags"]) == ("New", "Text", ["one", "two"])
    assert (shown["_maintainerId"], shown["methodology"]) == ("0" * 24, "export_only")
    assert shown["analysisConfig"] == {"testDirection": "two-sided"}
    assert (draft["hypothesis"], draft["canReshuffleTraffic"]) == ("Other", False)
    assert [one["allocationPercent"] for one in draft["treatments"]] == ["20", "50"]
    assert [one["key"] for one in draft["metrics"]] == ["sales"]
    assert (draft["attributes"], draft["createdAt"]) == (["os"], created)


def test_while_running_a_field_grows_and_the_rest_is_fixed(flagged: Environment) -> None:
    flagged.running()
    salt = flagged.catalog.experiments["colour"].iterations[0].salt
    shown = flagged.told(
        "colour",
        edit(metrics=("add", [{"key": "more"}]), attributes=("add", ["os"]), tags=("add", "x")),
    )
    current = shown["currentIteration"]
    assert [one["key"] for one in current["metrics"]] == ["sales", "errors", "more"]
    assert (current["attributes"], shown["tags"]) == (["os"], ["x"])
    assert flagged.catalog.experiments["colour"].iterations[0].salt == salt
    for fixed in (
        edit(metrics=("remove", "sales")),
        edit(metrics=("add", {"key": "sales"})),
        edit(hypothesis=("update", "x")),
        edit(treatments=("update", [])),
        edit(canReshuffleTraffic=("update", False)),
        edit(randomizationUnit=("update", "device")),
        edit(holdoutId=("update", "0" * 24)),
        edit(bogus=("update", 1)),
        edit(name=("remove", "x")),
        edit(name=("replace", "x")),
        edit(),
        {"kind": "updateExperimentFields"},
        {"kind": "updateExperimentFields", "value": {"name": "x"}},
    ):
        assert flagged.fails("colour", fixed) == INVALID


def test_what_may_be_changed_is_what_is_said_to_be(flagged: Environment) -> None:
    flagged.experiment()
    said = flagged.get("/experiments/colour?expand=mutableFieldsByStatus")["mutableFieldsByStatus"]
    assert said == mutable_fields()
    assert said["not_started"].keys() > said["running"].keys()
    assert set(said["running"]) >= {"name", "description", "maintainerId", "tags"}
    assert said["running"]["metrics"] == said["running"]["attributes"] == ["add"]
    assert "treatments" in said["not_started"]


@pytest.mark.parametrize("state", ["running", "stopped", "draft"])
def test_a_copy_is_started_from_any_iteration(flagged: Environment, state: str) -> None:
    if state == "draft":
        flagged.experiment()
    else:
        getattr(flagged, state)("colour")
    again: dict[str, Any] = {"kind": "saveAndStartNewIteration"}
    value = edit(hypothesis=("update", "Next"), canReshuffleTraffic=("update", False))["value"]
    shown = flagged.told("colour", {**again, "value": value})
    assert shown["currentIteration"]["hypothesis"] == "Next"
    assert shown["currentIteration"]["status"] == "running"
    assert [one["status"] for one in shown.get("previousIterations", [])] == (
        [] if state == "draft" else ["stopped"]
    )
    assert flagged.told("colour", again)["currentIteration"]["hypothesis"] == "Next"


def test_a_patch_is_tunnelled_through_a_post(flagged: Environment) -> None:
    flagged.experiment()
    body = b'{"instructions": [{"kind": "updateName", "value": "New"}]}'
    means = {"x_http_method_override": "patch", "content_type": SEMANTIC}
    answer = flagged.send("POST", "/experiments/colour", body, **means)
    assert flagged.done(answer)["name"] == "New"
    assert refusal(flagged.send("POST", "/experiments", body, **means))[0] == 405
    other = {**means, "x_http_method_override": "GET"}
    assert refusal(flagged.send("POST", "/experiments/colour", body, **other))[0] == 405
    plain = {**means, "content_type": "application/json"}
    assert refusal(flagged.send("POST", "/experiments/colour", body, **plain)) == INVALID


@pytest.mark.parametrize(
    "spelled",
    [
        'application/json; domain-model="launchdarkly.semanticpatch"',
        'Application/JSON;Domain-Model="launchdarkly.semanticpatch"; charset=utf8',
        'application/json; domain-model="launchdarkly\\.semanticpatch"',
    ],
)
def test_a_semantic_patch_may_be_named_in_quotes(flagged: Environment, spelled: str) -> None:
    flagged.experiment()
    body = {"instructions": [RENAME]}
    answer = flagged.call("PATCH", "/experiments/colour", body, content_type=spelled)
    assert (answer.status_code, answer.json()["name"]) == (200, "New")
    wrong = 'application/json; domain-model="launchdarkly.semanticpatch "'
    answer = flagged.call("PATCH", "/experiments/colour", body, content_type=wrong)
    assert refusal(answer) == INVALID


def test_a_get_of_what_the_client_has_is_not_answered_again(flagged: Environment) -> None:
    flagged.experiment()
    flagged.base = "/api/v2"
    here = "/projects/default/environments/production"
    flagged.post(f"{here}/holdouts", {"name": "Quarter", "holdoutamount": "5"})
    for path in (
        f"{here}/experiments/colour",
        f"{here}/experiments/colour?expand=draftIteration",
        f"{here}/holdouts/quarter",
        "/flags/default/button",
    ):
        has = flagged.call("GET", path).headers["etag"]
        for sent in (has, f"W/{has}", f'"1", {has}', "*"):
            answer = flagged.call("GET", path, if_none_match=sent)
            assert (answer.status_code, answer.content) == (304, b""), (path, sent)
            assert answer.headers["etag"] == has
        for sent in ('"1"', has.replace(".", ".0"), f'{has.partition(".")[0]}"'):
            assert flagged.call("GET", path, if_none_match=sent).status_code == 200, (path, sent)


def test_a_tag_of_one_view_is_not_that_of_another_and_allows_a_change(flagged: Environment) -> None:
    flagged.experiment()
    bare, whole = "/experiments/colour", "/experiments/colour?expand=draftIteration"
    has, other = (flagged.call("GET", path).headers["etag"] for path in (bare, whole))
    assert has != other
    assert flagged.call("GET", whole, if_none_match=has).status_code == 200
    assert flagged.call("GET", bare, if_none_match=has).status_code == 304
    assert flagged.instruct("colour", RENAME, if_match=f"W/{other}").status_code == 412
    assert flagged.instruct("colour", RENAME, if_match=other).status_code == 200
    assert flagged.instruct("colour", RENAME, if_match=has).status_code == 412
