"""Segments: targeting that means what it says, and allocations that grow and exclude."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allotment.change.commands import Create, EndIteration, Keep
from allotment.dialects.confidence.criteria import ConfidenceTargeting
from allotment.dialects.confidence.targeting import EVERYONE, read_targeting, show_targeting
from allotment.dialects.wire.model import read
from allotment.model.segment import (
    AllOf,
    AnyOf,
    Clause,
    Condition,
    IdList,
    InSegment,
    Not,
    Operator,
)
from allotment.model.segment import Segment as SegmentNoun
from resolving import SWEDEN, UNITS, flag, refusal, resolved, run, variants
from tenant import Vendor, vendor


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Vendor]:
    with vendor(tmp_path) as made:
        yield made


def segment(api: Vendor, key: str, **more: Any) -> Any:
    return api.post(f"/v1/segments?segmentId={key}", more)


def share(proportion: str, tags: list[str] | None = None, to: list[str] | None = None) -> Any:
    shown = {"exclusivityTags": tags or [], "exclusiveTo": to or []}
    return {"proportion": {"value": proportion}, **shown}


def attribute(name: str, **rule: Any) -> Any:
    return {"attribute": {"attributeName": name, **rule}}


def one(criterion: Any) -> Any:
    return {"criteria": {"only": criterion}, "expression": {"ref": "only"}}


ARMS = ("control", "new")
TEXT = {"stringValue": "SE"}
EVERYTHING = {
    "criteria": {
        "text": attribute("country", eqRule={"value": TEXT}),
        "truth": attribute("premium", eqRule={"value": {"boolValue": True}}),
        "number": attribute("age", eqRule={"value": {"numberValue": 18}}),
        "some": attribute("plan", setRule={"values": [TEXT, {"numberValue": 1.5}]}),
        "range": attribute(
            "app.build",
            rangeRule={
                "startInclusive": {"numberValue": 100},
                "endExclusive": {"numberValue": 200},
            },
        ),
        "version": attribute(
            "app.version", rangeRule={"startExclusive": {"versionValue": {"version": "1.2.3"}}}
        ),
        "versions": attribute(
            "app.version", eqRule={"value": {"versionValue": {"version": "2.0.0"}}}
        ),
        "start": attribute("path", startsWithRule={"value": "/a"}),
        "end": attribute("path", endsWithRule={"value": "/z"}),
        "within": attribute("path", containsRule={"value": "/m/"}),
        "item": attribute("tags", anyRule={"rule": {"eqRule": {"value": TEXT}}}),
    },
    "expression": {
        "or": {
            "operands": [
                {"and": {"operands": [{"ref": "text"}, {"not": {"ref": "truth"}}]}},
                *(
                    {"ref": name}
                    for name in (
                        *("number", "some", "range", "version", "versions"),
                        *("start", "end", "within", "item"),
                    )
                ),
            ]
        }
    },
}


@pytest.mark.parametrize("targeting", [{}, SWEDEN, EVERYTHING])
def test_a_segment_comes_back_as_it_was_sent(api: Vendor, targeting: Any) -> None:
    sent = {
        "displayName": "Nordics",
        "targeting": targeting,
        "allocation": share("0.5556"),
        "labels": {"team": "growth"},
        "owner": "identities/someone",
    }
    shown = segment(api, "nordics", **sent)
    assert shown == {
        "name": "segments/nordics",
        "state": "OK",
        **sent,
        "createTime": shown["createTime"],
        "updateTime": shown["createTime"],
        "creator": "loopback",
        "updater": "loopback",
    }
    assert api.get("/v1/segments/nordics") == shown
    assert api.get("/v1/segments") == {"segments": [shown], "nextPageToken": ""}


def test_a_segment_gets_twenty_characters_for_a_name_where_it_is_given_none(api: Vendor) -> None:
    name = api.post("/v1/segments", {})["name"].removeprefix("segments/")
    assert len(name) == 20
    assert name.isalnum()
    assert name == name.lower()


def test_a_list_goes_on_where_its_page_ends(api: Vendor) -> None:
    keys = [f"segment-{letter}" for letter in "abc"]
    for key in keys:
        segment(api, key)
    first = api.get("/v1/segments?pageSize=2")
    second = api.get(f"/v1/segments?page_size=2&page_token={first['nextPageToken']}")
    assert second["nextPageToken"] == ""
    names = [each["name"] for each in (*first["segments"], *second["segments"])]
    assert names == [f"segments/{key}" for key in keys]


MEANINGS: list[tuple[Any, dict[str, Any], bool]] = [
    ({}, {}, True),
    (SWEDEN, {"country": "SE"}, True),
    (SWEDEN, {"country": "se"}, False),
    (SWEDEN, {"country": ["NO", "SE"]}, True),
    (SWEDEN, {}, False),
    ({**SWEDEN, "expression": {"not": {"ref": "sweden"}}}, {}, True),
    ({**SWEDEN, "expression": {"and": {"operands": []}}}, {}, True),
    ({**SWEDEN, "expression": {"or": {"operands": []}}}, {"country": "SE"}, False),
    (EVERYTHING, {"country": "SE", "premium": False}, True),
    (EVERYTHING, {"country": "SE", "premium": True}, False),
    (EVERYTHING, {"age": 18.0}, True),
    (EVERYTHING, {"plan": 1.5}, True),
    (EVERYTHING, {"app": {"build": 100}}, True),
    (EVERYTHING, {"app": {"build": 200}}, False),
    (EVERYTHING, {"app": {"version": "1.2.3"}}, False),
    (EVERYTHING, {"app": {"version": "1.10.0"}}, True),
    (EVERYTHING, {"path": "/z/a"}, False),
    (EVERYTHING, {"path": "/z/m/"}, True),
    (EVERYTHING, {"tags": ["NO", "SE"]}, True),
]


def test_a_targeting_means_what_it_says(api: Vendor) -> None:
    flag(api)
    segment(api, "audience")
    run(api, "audience")
    for targeting, known, is_member in MEANINGS:
        api.patch("/v1/segments/audience?updateMask=targeting", {"targeting": targeting})
        found = resolved(api, {"targeting_key": "someone", **known})
        assert bool(found["variant"]) is is_member, (targeting, known)


def test_a_segment_may_be_made_of_another(api: Vendor) -> None:
    flag(api)
    segment(api, "sweden", targeting=SWEDEN)
    targeting = one({"segment": {"segment": "segments/sweden"}})
    shown = segment(api, "audience", targeting=targeting)
    assert shown["targeting"] == targeting
    run(api, "audience")
    assert resolved(api, {"targeting_key": "someone", "country": "SE"})["variant"]
    assert not resolved(api, {"targeting_key": "someone"})["variant"]


UNSAYABLE: list[tuple[Any, str]] = [
    (one({"materializedSegment": {"materializedSegment": "materializedSegments/x"}}), "zed"),
    (one(attribute("a", allRule={"rule": {"eqRule": {"value": TEXT}}})), "every item"),
    (one(attribute("a", eqRule={"value": {"timestampValue": "2026-01-01T00:00:00Z"}})), "value"),
    (one(attribute("a", eqRule={"value": {"listValue": {"values": []}}})), "value"),
    (one(attribute("a", rangeRule={"startInclusive": TEXT})), "numbers or of versions"),
    (one(attribute("a", rangeRule={})), "1 to 2 entries"),
    (
        one(
            attribute(
                "a",
                rangeRule={
                    "startInclusive": {"numberValue": 1},
                    "startExclusive": {"numberValue": 1},
                },
            )
        ),
        "one start",
    ),
    (one(attribute("a")), "one rule"),
    (one(attribute("a..b", eqRule={"value": TEXT})), "no step"),
    (one(attribute("a", setRule={"values": [TEXT, {"versionValue": {"version": "1.0.0"}}]})), "v"),
    (one(attribute("a", likeRule={"value": "x"})), "does not belong"),
    ({"criteria": SWEDEN["criteria"]}, "go together"),
    ({"criteria": {}, "expression": {"ref": "nothing"}}, "no criterion"),
    ({"expression": {"xor": {}}}, "does not belong"),
]


@pytest.mark.parametrize(("targeting", "why"), UNSAYABLE)
def test_what_cannot_be_said_in_rules_is_refused(api: Vendor, targeting: Any, why: str) -> None:
    status, code, message = refusal(api, "POST", "/v1/segments", {"targeting": targeting})
    assert (status, code) == (400, 3)
    assert why in message
    assert "$.targeting" in message


_clauses = st.one_of(
    st.builds(
        Clause,
        st.sampled_from((("country",), ("app", "build"))),
        st.just(Operator.IN),
        st.lists(st.sampled_from(("SE", 1, 2.5, True, "")), min_size=1, max_size=3).map(tuple),
    ),
    st.builds(
        Clause,
        st.sampled_from((("country",), ("app", "build"))),
        st.sampled_from((Operator.LESS, Operator.AT_LEAST, Operator.AT_MOST, Operator.GREATER)),
        st.tuples(st.sampled_from((0, 1, 2.5))),
    ),
    st.builds(
        Clause,
        st.just(("path",)),
        st.sampled_from((Operator.CONTAINS, Operator.STARTS_WITH, Operator.SEMVER_LESS)),
        st.tuples(st.sampled_from(("1.0.0", "2.0.0-rc.1"))),
    ),
    st.builds(InSegment, st.sampled_from(("one", "another"))),
)
_conditions: st.SearchStrategy[Condition] = st.recursive(
    _clauses,
    lambda inner: st.one_of(
        st.builds(AllOf, st.lists(inner, max_size=3).map(tuple)),
        st.builds(AnyOf, st.lists(inner, max_size=3).map(tuple)),
        st.builds(Not, inner),
    ),
    max_leaves=6,
)


@given(st.lists(_conditions, max_size=3).map(tuple))
def test_rules_that_can_be_said_are_read_as_they_were(rules: tuple[Condition, ...]) -> None:
    found = read_targeting(read(ConfidenceTargeting, show_targeting(rules)))
    # A list of one rule that is any of others is the list of these.
    if len(rules) == 1 and isinstance(rules[0], AnyOf):
        rules = rules[0].conditions
    assert found == rules


def test_what_cannot_be_said_is_shown_as_near_as_can_be_and_never_written_back(
    api: Vendor,
) -> None:
    rules = (
        AllOf((Clause(("a",), Operator.EXISTS), Clause(("b",), Operator.MATCHES, ("^x",)))),
        Clause(("c",), Operator.STARTS_WITH, ("x", "y")),
    )
    everyone = IdList.of(["someone"], "$")
    api.apply(Create(SegmentNoun("elsewhere", rules=rules, include=everyone, description="Some")))
    shown = api.get("/v1/segments/elsewhere")
    assert shown["targeting"] == {
        "criteria": {
            "c1": attribute("a"),
            "c2": attribute("b"),
            "c3": attribute("c", startsWithRule={"value": "x"}),
            "c4": attribute("c", startsWithRule={"value": "y"}),
        },
        "expression": {
            "or": {
                "operands": [
                    {"and": {"operands": [{"ref": "c1"}, {"ref": "c2"}]}},
                    {"or": {"operands": [{"ref": "c3"}, {"ref": "c4"}]}},
                ]
            }
        },
    }
    before = api.catalog.segments["elsewhere"]
    api.patch("/v1/segments/elsewhere?updateMask=*", shown)
    assert api.catalog.segments["elsewhere"].rules == before.rules
    assert api.catalog.segments["elsewhere"].include == before.include


def test_a_segment_that_nobody_is_in_is_not_shown_as_one_that_everyone_is_in(api: Vendor) -> None:
    api.apply(Create(SegmentNoun("nobody")))
    shown = api.get("/v1/segments/nobody")["targeting"]
    assert shown["expression"] == {"or": {"operands": []}}
    assert show_targeting(EVERYONE) == {}


# Masks.


def test_a_mask_names_what_is_changed(api: Vendor) -> None:
    before = segment(api, "nordics", displayName="Nordics", targeting=SWEDEN, labels={"a": "b"})
    body = {"displayName": "North", "labels": {"c": "d"}, "targeting": {}}
    shown = api.patch("/v1/segments/nordics?updateMask=displayName,labels.c", body)
    assert shown["displayName"] == "North"
    assert shown["labels"] == {"a": "b", "c": "d"}
    assert shown["targeting"] == before["targeting"]
    shown = api.patch("/v1/segments/nordics?updateMask=labels", {})
    assert "labels" not in shown
    shown = api.patch("/v1/segments/nordics?updateMask=*", {"displayName": "Only this"})
    assert (shown["displayName"], shown["targeting"]) == ("Only this", {})


@pytest.mark.parametrize("mask", ["state", "name", "createTime", "targeting.nothing", "x", ""])
def test_a_mask_that_names_what_is_never_set_is_refused(api: Vendor, mask: str) -> None:
    segment(api, "nordics")
    path = f"/v1/segments/nordics?updateMask={mask}"
    if not mask:  # it says as little as none
        assert api.patch(path, {"displayName": "North"})["displayName"] == "North"
    else:
        assert refusal(api, "PATCH", path, {"displayName": "North"})[:2] == (400, 3)


def test_what_is_told_and_not_set_is_passed_over_in_a_body(api: Vendor) -> None:
    shown = segment(api, "nordics", displayName="Nordics")
    again = api.patch("/v1/segments/nordics", {**shown, "state": "ARCHIVED", "name": "segments/x"})
    assert again == {**shown, "updateTime": again["updateTime"]}


# Allocation.


def test_a_segment_has_its_proportion_of_the_units(api: Vendor) -> None:
    flag(api)
    segment(api, "some", allocation=share("0.3"))
    run(api, "some")
    assert 60 <= len(variants(api)) <= 120  # of 300; five standard deviations each way


def test_a_proportion_that_grows_while_live_keeps_everyone(api: Vendor) -> None:
    flag(api)
    segment(api, "some", allocation=share("0.2"))
    run(api, "some")
    before = variants(api)
    for proportion in ("0.2000001", "0.4", "1"):
        path = "/v1/segments/some?updateMask=allocation.proportion"
        body = {"allocation": {"proportion": {"value": proportion}}}
        if proportion == "0.2000001":  # finer than the buckets are
            assert refusal(api, "PATCH", path, body)[:2] == (400, 3)
            continue
        api.patch(path, body)
        after = variants(api)
        assert before.items() < after.items()
        before = after
    assert len(before) == len(UNITS)


def test_a_proportion_does_not_shrink_while_live(api: Vendor) -> None:
    flag(api)
    segment(api, "some", allocation=share("0.5"))
    run(api, "some")
    before = variants(api)
    body = {"allocation": share("0.4")}
    assert refusal(api, "PATCH", "/v1/segments/some", body)[:2] == (400, 9)
    assert variants(api) == before
    api.apply(EndIteration("login-box"))
    assert api.patch("/v1/segments/some", body)["allocation"] == body["allocation"]


def test_a_coordinated_segment_waits_to_be_allocated(api: Vendor) -> None:
    shown = segment(api, "some", allocation=share("0.5", ["a"], ["a"]))
    assert shown["state"] == "UNALLOCATED"
    assert api.catalog.segments["some"].sample is None
    changed = api.patch("/v1/segments/some", {"allocation": share("0.6", ["b"], ["a"])})
    assert (changed["state"], changed["allocation"]) == ("UNALLOCATED", share("0.6", ["b"], ["a"]))
    allocated = api.post("/v1/segments/some:allocate")
    assert allocated["state"] == "ALLOCATED"
    assert allocated["allocation"] == changed["allocation"]
    again = api.post("/v1/segments/some:allocate", {})
    assert again == allocated


def test_a_segment_may_cease_to_be_coordinated(api: Vendor) -> None:
    segment(api, "some", allocation=share("0.5", ["a"], ["a"]))
    changed = api.patch("/v1/segments/some", {"allocation": share("0.5")})
    assert (changed["state"], changed["allocation"]) == ("OK", share("0.5"))
    sample = api.catalog.segments["some"].sample
    assert sample is not None
    assert (sample.layer, sample.share_ppm) == (None, 500_000)
    api.patch("/v1/segments/some", {"allocation": None})
    assert api.catalog.segments["some"].sample is None


def test_what_is_kept_with_a_segment_decides_nothing(api: Vendor) -> None:
    allocated(api, "mine", "0.4", ["x"], ["x"])
    # It is kept how the targeting is spelled.
    elsewhere = {**SWEDEN, "expression": {"not": {"ref": "sweden"}}}
    api.patch("/v1/segments/mine", {"labels": {"a": "b"}, "targeting": elsewhere})
    noun, before = api.catalog.segments["mine"], variants(api, flag="flags/mine")
    assert before
    assert len(noun.kept) == 2
    api.apply(*(Keep("segment", "mine", path, None) for path, _ in noun.kept))
    assert api.catalog.segments["mine"] == replace(noun, kept=())
    assert variants(api, flag="flags/mine") == before
    assert api.get("/v1/segments/mine")["allocation"] == share("0.4", ["x"], ["x"])


def allocated(api: Vendor, key: str, proportion: str, tags: list[str], to: list[str]) -> None:
    flag(api, key)
    segment(api, key, allocation=share(proportion, tags, to))
    api.post(f"/v1/segments/{key}:allocate")
    run(api, key, key)


def test_no_unit_is_in_two_segments_that_exclude_each_other(api: Vendor) -> None:
    allocated(api, "mine", "0.4", ["search"], ["search"])
    allocated(api, "yours", "0.3", ["search"], ["search"])
    allocated(api, "theirs", "0.5", ["checkout"], ["checkout"])
    mine, yours, theirs = (
        set(variants(api, flag=f"flags/{key}")) for key in ("mine", "yours", "theirs")
    )
    assert mine
    assert yours
    assert not mine & yours
    # Who does not exclude the others shares units with them, about as often as by chance.
    assert 30 <= len(theirs & mine) <= 90  # of 60 expected
    api.patch("/v1/segments/mine", {"allocation": share("0.7", ["search"], ["search"])})
    grown = set(variants(api, flag="flags/mine"))
    assert mine < grown
    assert not grown & yours
    assert grown | yours == set(UNITS)  # the two have all there is


def test_a_tag_may_stand_above_others(api: Vendor) -> None:
    allocated(api, "above", "0.5", ["all"], ["all"])
    allocated(api, "below-a", "0.5", ["a"], ["a", "all"])
    allocated(api, "below-b", "0.5", ["b"], ["b", "all"])
    above, below_a, below_b = (
        set(variants(api, flag=f"flags/{key}")) for key in ("above", "below-a", "below-b")
    )
    assert not above & (below_a | below_b)
    assert below_a & below_b


def test_where_there_is_not_enough_room_nothing_is_allocated(api: Vendor) -> None:
    allocated(api, "mine", "0.7", ["x"], ["x"])
    segment(api, "yours", allocation=share("0.4", ["x"], ["x"]))
    status, code, message = refusal(api, "POST", "/v1/segments/yours:allocate")
    assert (status, code) == (400, 9), message
    assert api.get("/v1/segments/yours")["state"] == "UNALLOCATED"
    api.patch("/v1/segments/yours", {"allocation": share("0.3", ["x"], ["x"])})
    assert api.post("/v1/segments/yours:allocate")["state"] == "ALLOCATED"
    grow = {"allocation": share("0.71", ["x"], ["x"])}
    assert refusal(api, "PATCH", "/v1/segments/mine", grow)[:2] == (400, 9)


def draft(api: Vendor, key: str) -> str:
    """An instance on a flag and a segment of the same key; its path."""
    arms = [{"variant": f"flags/{key}/variants/{each}", "weight": 5000} for each in ARMS]
    flag(api, key)
    body = {"displayName": key, "abtest": {"treatments": arms}}
    body["flags"] = {"segment": f"segments/{key}"}
    return f"/v1/{api.post('/v1/workflows/abtest/instances', body)['name']}"


def test_an_instance_that_goes_live_has_its_segment_allocated(api: Vendor) -> None:
    allocated(api, "mine", "0.5", ["x"], ["x"])
    segment(api, "yours", allocation=share("0.6", ["x"], ["x"]))
    live, path = {"targetState": "live"}, f"{draft(api, 'yours')}:transition"
    assert refusal(api, "POST", path, live)[:2] == (400, 9)  # there is not enough room
    assert not variants(api, flag="flags/yours")
    api.patch("/v1/segments/yours", {"allocation": share("0.5", ["x"], ["x"])})
    assert api.post(path, live)["state"] == "live"
    assert api.get("/v1/segments/yours")["state"] == "ALLOCATED"
    mine, yours = (set(variants(api, flag=f"flags/{key}")) for key in ("mine", "yours"))
    assert not mine & yours
    assert mine | yours == set(UNITS)


def test_an_instance_does_not_go_live_with_a_segment_that_is_archived(api: Vendor) -> None:
    segment(api, "gone")
    api.post("/v1/segments/gone:archive")
    path = f"{draft(api, 'gone')}:transition"
    assert refusal(api, "POST", path, {"targetState": "live"})[:2] == (400, 9)


def test_a_segment_that_is_archived_leaves_its_room_to_others(api: Vendor) -> None:
    allocated(api, "mine", "0.7", ["x"], ["x"])
    assert refusal(api, "POST", "/v1/segments/mine:archive")[:2] == (400, 9)
    segment(api, "done", allocation=share("0.3", ["x"], ["x"]))
    api.post("/v1/segments/done:allocate")
    shown = api.post("/v1/segments/done:archive")
    assert (shown["state"], shown["allocation"]) == ("ARCHIVED", share("0.3", ["x"], ["x"]))
    assert refusal(api, "PATCH", "/v1/segments/done", {"displayName": "No"})[:2] == (400, 9)
    assert refusal(api, "POST", "/v1/segments/done:allocate")[:2] == (400, 9)
    api.patch("/v1/segments/mine", {"allocation": share("1", ["x"], ["x"])})
    assert len(variants(api, flag="flags/mine")) == len(UNITS)


@pytest.mark.parametrize(
    "wrong",
    ["1.1", "-0.5", "half", "", "0.0000001", "1e-1", " 0.5", "0_5", "\u0665", "NaN", "Infinity"],
)
def test_a_proportion_is_a_decimal_from_0_to_1(api: Vendor, wrong: str) -> None:
    body = {"allocation": {"proportion": {"value": wrong}}}
    status, code, message = refusal(api, "POST", "/v1/segments", body)
    assert (status, code) == (400, 3)
    assert "$.allocation.proportion.value" in message


@pytest.mark.parametrize(
    ("method", "path", "body", "expected"),
    [
        ("GET", "/v1/segments/nothing", None, (404, 5)),
        ("PATCH", "/v1/segments/nothing", {}, (404, 5)),
        ("POST", "/v1/segments/nothing:allocate", None, (404, 5)),
        ("POST", "/v1/segments/nothing:archive", None, (404, 5)),
        ("POST", "/v1/segments?segmentId=taken", {}, (409, 6)),
        ("POST", "/v1/segments?segmentId=NotLower", {}, (400, 3)),
        ("POST", "/v1/segments?segmentId=-abc", {}, (400, 3)),
        ("POST", "/v1/segments", {"nonsense": 1}, (400, 3)),
        ("POST", "/v1/segments/taken:allocate", {"x": 1}, (400, 3)),
        ("GET", "/v1/segments?pageToken=x", None, (400, 3)),
        ("GET", "/v1/segments?pageSize=many", None, (400, 3)),
        ("GET", "/v1/segments?nothing=1", None, (400, 3)),
        ("DELETE", "/v1/segments/taken", None, (405, 12)),
    ],
)
def test_refusals(
    api: Vendor, method: str, path: str, body: Any, expected: tuple[int, int]
) -> None:
    segment(api, "taken")
    assert refusal(api, method, path, body)[:2] == expected
