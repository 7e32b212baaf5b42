"""Every command has a line, attributes are typed by hand, bars have a length."""

import typing

import pytest

from allotment.change import commands as c
from allotment.change.impact import Move
from allotment.cli.explain import attributes_of
from allotment.cli.summary import bar
from allotment.errors import InvalidInput
from allotment.model.experiment import Allocation, Iteration, Treatment
from allotment.model.flag import FlagExperiment, FlagState, Miss, Variation
from allotment.model.segment import IdList, InSegment, Sample, Segment
from allotment.model.slots import Range
from allotment.words.commands import line_of, moved_line

WEIGHTS = (("a", 335), ("b", 665))
TREATMENTS = (Treatment("a"), Treatment("b"))
ALLOCATION = Allocation("all", WEIGHTS, 1000)

LINES: list[tuple[c.Command, str]] = [
    (c.Create(Segment("s")), "+ segment s"),
    (c.Replace(Segment("s")), "~ segment s: replaced"),
    (c.Delete("flag", "f"), "- flag f"),
    (c.Rename("layer", "l", "L [b]"), "~ layer l: name 'L [b]'"),
    (c.Describe("flag", "f", "x" * 99), f"~ flag f: description '{'x' * 57}...'"),
    (c.Keep("flag", "f", "auth0/type", '"self"'), '~ flag f: keeps auth0/type "self"'),
    (c.Keep("flag", "f", "auth0/type", None), "~ flag f: keeps no auth0/type"),
    (
        c.SetVariations("f", (Variation("on", "true"), Variation("off", "false")), "off"),
        "~ flag f: variations on, off, default off",
    ),
    (c.SwitchFlag("f", FlagState.ARCHIVED), "~ flag f: archived"),
    (
        c.OrderExperiments("f", (FlagExperiment("e", Miss.STOP), FlagExperiment("g"))),
        "~ flag f: experiments e (stop), g (next)",
    ),
    (
        c.OrderExperiments("f", (FlagExperiment("e", Miss.STOP, "off"),)),
        "~ flag f: experiments e (stop, otherwise off)",
    ),
    (c.OrderExperiments("f", ()), "~ flag f: experiments none"),
    (c.SetRules("s", (InSegment("t"),)), "~ segment s: 1 rule"),
    (
        c.SetMembers("s", "user", IdList.of(map(str, range(1200))), IdList()),
        "~ segment s: 1,200 included, 0 excluded, by user",
    ),
    (c.SetSample("s", Sample(125_000)), "~ segment s: a sample of 12.5% of a draw of its own"),
    (c.SetSample("s", Sample(1, "l")), "~ segment s: a sample of 0.0001% of layer l"),
    (c.SetSample("s", None), "~ segment s: no sample any more"),
    (c.Reserve("l", "e", 125_000), "~ layer l: 12.5% for e"),
    (c.Reserve("l", "e", 9, (Range(0, 9),)), "~ layer l: 0.0009% for e, exactly 1 range"),
    (c.Release("e"), "~ experiment e: leaves its layer"),
    (c.SetHoldoutShare("h", 50_000), "~ holdout h: keeps out 5%"),
    (c.SetHoldout("e", "h"), "~ experiment e: holdout h"),
    (c.SetOverrides("e", (("u", "a"), ("v", "a"))), "~ experiment e: 2 overrides"),
    (
        c.SetKeeping("e", True, True),
        "~ experiment e: keeps assignments, also outside the targeting",
    ),
    (c.SetKeeping("e", False, True), "~ experiment e: keeps no assignments"),
    (c.SetUnit("e", "account"), "~ experiment e: unit account"),
    (c.SetIntake("e", False), "~ experiment e: intake closed"),
    (c.ArchiveExperiment("e"), "~ experiment e: archived"),
    (c.RestoreExperiment("e"), "~ experiment e: restored from the archive"),
    (
        c.DraftIteration("e", Iteration(0, TREATMENTS, (ALLOCATION,), reshuffle=True)),
        "+ experiment e: a draft iteration, reshuffled",
    ),
    (c.SetTreatments("e", TREATMENTS, None), "~ experiment e: treatments a, b, control none"),
    (
        c.SetAllocations("e", (ALLOCATION,)),
        "~ experiment e: allocations all (a 335, b 665 of 1,000)",
    ),
    (c.SetWeights("e", "all", WEIGHTS, 1000), "~ experiment e / all: a 335, b 665 of 1,000"),
    (c.SetAudience("e", None), "~ experiment e: audience everyone"),
    (c.SetEnrolment("e", 1), "~ experiment e: enrolment 0.0001%"),
    (c.StartIteration("e", "because"), "> experiment e: starts: 'because'"),
    (c.PauseIteration("e"), "> experiment e: pauses"),
    (c.ResumeIteration("e"), "> experiment e: resumes"),
    (c.EndIteration("e", "a"), "> experiment e: ends, won by a"),
]


@pytest.mark.parametrize(("command", "line"), LINES)
def test_a_command_reads_as_one_line(command: c.Command, line: str) -> None:
    assert line_of(command) == line


def test_every_command_has_a_line() -> None:
    assert {type(command) for command, _ in LINES} == set(typing.get_args(c.Command))


def test_a_move_is_told_as_a_share() -> None:
    line = moved_line(Move("e", "all", 166_667))
    assert line == "e / all: 16.6667% of the treatment draw moves"


@pytest.mark.parametrize(
    ("document", "pairs", "known"),
    [
        (None, [], {}),
        (None, ["country=SE"], {"country": "SE"}),
        (None, ["age=31", "rate=1.5", "beta=true", "gone=null"],
         {"age": 31, "rate": 1.5, "beta": True, "gone": None}),
        (None, ["version=3.1.0", "zip=007", "eq=a=b", "none="],
         {"version": "3.1.0", "zip": "007", "eq": "a=b", "none": ""}),
        (None, ['age="31"', 'tags=["a","b"]'], {"age": "31", "tags": ["a", "b"]}),
        (None, ["a.b.c=1", "a.d=2"], {"a": {"b": {"c": 1}, "d": 2}}),
        ('{"a": {"b": 1}, "c.d": 2}', ["a.e=3"], {"a": {"b": 1, "e": 3}, "c.d": 2}),
    ],
)  # fmt: skip
def test_attributes_are_json_where_they_can_be_and_else_text(document, pairs, known) -> None:
    assert attributes_of(document, pairs) == known


@pytest.mark.parametrize(
    ("document", "pairs"),
    [("[1]", []), ("{", []), (None, ["country"]), (None, ["=SE"]), (None, ["a=1", "a.b=2"])],
)
def test_malformed_attributes_are_refused(document, pairs) -> None:
    with pytest.raises(InvalidInput):
        attributes_of(document, pairs)


@pytest.mark.parametrize(
    ("count", "longest", "drawn"),
    [(0, 10, ""), (10, 10, "████"), (5, 10, "██"), (1, 10**6, "▏"), (3, 8, "█▌"), (0, 0, "")],
)
def test_a_bar_is_as_long_as_its_count(count: int, longest: int, drawn: str) -> None:
    assert bar(count, longest, cells=4) == drawn
