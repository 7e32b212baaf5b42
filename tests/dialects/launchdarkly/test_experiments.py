"""Experiments of LaunchDarkly's API: what is sent comes back, and assigns as it says."""

from typing import Any

from ldproject import ALL, Environment, halves, iteration, treatment, variation

UNITS = [f"user-{number}" for number in range(2_000)]


def given(api: Environment, key: str = "colour") -> list[str | None]:
    return [api.engine.assign(key, unit).treatment for unit in UNITS]


def test_an_experiment_begins_as_a_draft_that_only_expand_shows(flagged: Environment) -> None:
    made = flagged.experiment()
    assert "currentIteration" not in made
    assert made["draftIteration"]["status"] == "not_started"
    assert made["_links"]["self"]["href"].endswith("/environments/production/experiments/colour")
    plain = flagged.get("/experiments/colour")
    assert not {"draftIteration", "currentIteration", "previousIterations"} & plain.keys()
    assert flagged.shown("colour")["draftIteration"] == made["draftIteration"]
    assert set(given(flagged)) == {None}


def test_everything_that_is_sent_comes_back(flagged: Environment) -> None:
    own: dict[str, Any] = {
        "description": "Text",
        "maintainerId": "12ab3c45de678910fgh12345",
        "tags": ["one", "two"],
        "methodology": "bayesian",
        "dataSource": "snowflake",
        "type": "mab",
        "analysisConfig": {"bayesianThreshold": "95", "sequentialTestingEnabled": True},
    }
    more: dict[str, Any] = {
        "metrics": [{"key": "sales", "analysisUnit": "user"}, {"key": "steps", "isGroup": True}],
        "canReshuffleTraffic": False,
        "randomizationUnit": "device",
        "reallocationFrequencyMillis": 3_600_000,
        "covariateId": "74a49a2b",
        "attributes": ["country", "os"],
        "treatments": halves("10.5", "20"),
    }
    made = flagged.experiment(**own, **more)
    assert {name: made[name] for name in own if name != "maintainerId"} == {
        name: value for name, value in own.items() if name != "maintainerId"
    }
    assert made["_maintainerId"] == own["maintainerId"]
    draft = made["draftIteration"]
    named = ("canReshuffleTraffic", "randomizationUnit", "reallocationFrequencyMillis")
    assert {name: draft[name] for name in named} == {name: more[name] for name in named}
    assert draft["attributes"] == more["attributes"]
    assert draft["covariateInfo"]["id"] == more["covariateId"]
    assert [(one["key"], one["isGroup"]) for one in draft["metrics"]] == [
        ("sales", False),
        ("steps", True),
    ]
    assert draft["primaryMetric"]["key"] == draft["primarySingleMetric"]["key"] == "sales"
    said = [{name: one[name] for name in one if name != "_id"} for one in draft["treatments"]]
    assert said == more["treatments"]
    assert draft["flags"]["button"]["targetingRule"] == "fallthrough"
    assert draft["flags"]["button"]["notInExperimentVariationId"] == variation("red")
    assert flagged.get("/experiments/colour?expand=mutableFieldsByStatus").keys() >= {"_id"}


def test_units_get_what_the_percentages_say_and_the_rest_is_not_in_it(flagged: Environment) -> None:
    flags = {
        "button": {
            "ruleId": "fallthrough",
            "flagConfigVersion": 7,
            "notInExperimentVariationId": variation("blue"),
        }
    }
    flagged.running(treatments=halves("10", "30"), flags=flags)
    found = given(flagged)
    assert {*found} == {"control", "green", None}
    assert 150 < found.count("control") < 250
    assert 500 < found.count("green") < 700
    values = {
        flagged.engine.resolve("button", unit).value
        for unit, one in zip(UNITS, found, strict=True)
        if one is None
    }
    assert values == {"blue"}


def test_whoever_is_not_in_it_gets_the_baseline_where_nothing_else_is_said(
    api: Environment,
) -> None:
    api.flag(default="blue")
    api.running(treatments=halves("1", "1"))
    outside = next(unit for unit in UNITS if api.engine.assign("colour", unit).treatment is None)
    assert api.engine.resolve("button", outside).value == "red"


def test_growing_without_reshuffling_moves_nobody(flagged: Environment) -> None:
    flagged.running(treatments=halves("10", "10"), canReshuffleTraffic=False)
    before = given(flagged)
    grown = iteration(treatments=halves("30", "20"), canReshuffleTraffic=False)
    flagged.post("/experiments/colour/iterations", grown)
    assert given(flagged) == before, "a draft assigns nobody"
    flagged.told("colour", {"kind": "startIteration", "changeJustification": "more"})
    after = given(flagged)
    assert [new for old, new in zip(before, after, strict=True) if old and new != old] == []
    assert after.count(None) < before.count(None)


def test_reshuffling_deals_afresh(flagged: Environment) -> None:
    flagged.running(canReshuffleTraffic=True)
    before = given(flagged)
    flagged.post("/experiments/colour/iterations", iteration(canReshuffleTraffic=True))
    flagged.told("colour", {"kind": "startIteration", "changeJustification": "again"})
    moved = sum(one != other for one, other in zip(before, given(flagged), strict=True))
    assert 800 < moved < 1_200


def test_stopping_and_starting_reshuffles_whatever_is_asked(flagged: Environment) -> None:
    flagged.stopped(canReshuffleTraffic=False)
    made = flagged.post("/experiments/colour/iterations", iteration(canReshuffleTraffic=False))
    assert made["canReshuffleTraffic"] is True
    flagged.running("other", canReshuffleTraffic=False)
    flagged.post("/experiments/other/iterations", iteration(canReshuffleTraffic=False))
    before = flagged.catalog.experiments["other"].iterations[0].salt
    stop = {"kind": "stopIteration", "winningTreatmentId": flagged.winner("other")}
    shown = flagged.told("other", stop, "startIteration")
    assert shown["currentIteration"]["canReshuffleTraffic"] is True
    assert flagged.catalog.experiments["other"].iterations[1].salt != before


def test_a_treatment_of_the_same_name_is_the_same_one(flagged: Environment) -> None:
    flagged.running()
    new = [treatment("Green", "50", "blue", baseline=True), treatment("Red", "50", "red")]
    made = flagged.post("/experiments/colour/iterations", iteration(treatments=new))
    draft = flagged.catalog.experiments["colour"].iterations[1]
    assert [one.key for one in draft.treatments] == ["green", "red"]
    assert draft.control == "green"
    assert [one["name"] for one in made["treatments"]] == ["Green", "Red"]


def test_the_experiments_of_a_flag_are_asked_one_after_the_other(flagged: Environment) -> None:
    flagged.experiment("first", treatments=halves("0", "1"))
    flagged.running("second", treatments=halves("0", "100"))
    value = flagged.engine.resolve("button", "user-1").value
    assert value == "green", "a draft is passed over"
    assert [one.experiment for one in flagged.catalog.flags["button"].experiments] == [
        "first",
        "second",
    ]


def test_times_are_whole_milliseconds(flagged: Environment) -> None:
    flagged.stopped()
    flagged.told("colour", "archiveExperiment")
    shown = flagged.get(f"/experiments/colour{ALL}")
    current = shown["currentIteration"]
    moments = [
        *(current["createdAt"], current["startedAt"], current["endedAt"]),
        *(shown["_creationDate"], shown["archivedDate"]),
    ]
    assert all(type(moment) is int and moment > 1_600_000_000_000 for moment in moments)
    assert current["startedAt"] <= current["endedAt"] <= shown["archivedDate"]
