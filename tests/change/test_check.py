"""Whatever a catalog must satisfy is refused with its place and a sentence, when it is not so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from allotment.change import commands as c
from allotment.change.apply import apply
from allotment.change.check import check_catalog
from allotment.change.commands import Command
from allotment.compile import compile_catalog
from allotment.dialects import catalogfile
from allotment.engine import Engine
from allotment.errors import AllotmentError, Conflict, InvalidChange, InvalidInput, NotFound
from allotment.model import limits
from allotment.model.catalog import EMPTY, Catalog
from allotment.model.experiment import Allocation, Iteration, State, Treatment
from allotment.model.flag import Flag, FlagExperiment, Variation
from allotment.model.layer import Holdout, Layer, Reservation
from allotment.model.segment import (
    AllOf,
    AnyOf,
    Clause,
    Condition,
    IdList,
    InSegment,
    Not,
    Operator,
    Segment,
)
from allotment.model.slots import Range, Slot
from nouns import EVERYONE, FLAG, TREATMENTS, catalog, changed, experiment, iteration

IS_NORDIC = Clause(("country",), Operator.IN, ("SE", "NO"))


@pytest.fixture(scope="module")
def base() -> Catalog:
    """A checkout in a layer and a search beside it, both listed; segments; a holdout."""
    return catalog(
        Segment("nordics", rules=(IS_NORDIC,)),
        Segment("testers", include=IdList.of(["u1"])),
        Segment("both", rules=(AllOf((InSegment("nordics"), InSegment("testers"))),)),
        Holdout("q4", "", 50_000),
        Holdout("devices", "", 50_000, unit="device"),
        Layer("device-pages", "", unit="device"),
        Layer(
            "pages",
            "",
            reservations=(
                Reservation("checkout", share_ppm=400_000),
                Reservation("search", share_ppm=400_000),
            ),
        ),
        experiment("checkout", layer="pages", overrides=(("u1", "green"),)),
        experiment("search", iteration(audience="both"), layer="pages"),
        Flag("colour", FLAG.variations, "blue"),
        experiment("tablet", iteration(treatments=(Treatment("control"), Treatment("green"))),
                   unit="device"),
    )  # fmt: skip


def checkout(base: Catalog, **fields: object) -> Command:
    """Replace the checkout's one iteration by one with other fields."""
    old = base.experiments["checkout"]
    run = replace(old.current, **fields)
    return c.Replace(replace(old, iterations=(run,)))


def allocated(base: Catalog, *allocations: Allocation) -> Command:
    return checkout(base, allocations=allocations)


def wholly(base: Catalog, **fields: object) -> Command:
    """Replace the checkout by one with other fields."""
    return c.Replace(replace(base.experiments["checkout"], **fields))


def kept(path: str, value: str) -> Command:
    return c.Keep("experiment", "checkout", path, value)


def runs(base: Catalog, *iterations: Iteration) -> Command:
    return wholly(base, iterations=iterations)


def ruled(*rules: Condition) -> Command:
    return c.SetRules("nordics", rules)


def clause(operator: Operator, *values: object, path: tuple[str, ...] = ("age",)) -> Command:
    return ruled(Clause(path, operator, values))


def nested(depth: int) -> Condition:
    condition: Condition = IS_NORDIC
    for _ in range(depth - 1):
        condition = Not(condition)
    return condition


def flag(**fields: object) -> Command:
    return c.Create(replace(FLAG, key="new", **fields))


def reserved(*reservations: Reservation) -> Command:
    return c.Replace(Layer("pages", "pages", reservations=reservations))


def ranges(*edges: tuple[int, int]) -> Reservation:
    return Reservation("search", tuple(Range(*pair) for pair in edges))


def many(count: int) -> tuple[Treatment, ...]:
    return tuple(Treatment(f"t{number}") for number in range(count))


X = "$.experiments.checkout"
LONG = "x" * 1025
CHECKOUT = Reservation("checkout", (Range(0, 400_000),))
SEARCH = Reservation("search", (Range(400_000, 800_000),))
STOPPED = iteration(State.STOPPED)
DRAFT = iteration(State.DRAFT, 2)
FALLBACK = replace(EVERYONE, key="fallback", priority=0, fallback=True)
OTHER = replace(EVERYONE, key="other", priority=2)

Refusal = tuple[str, type[AllotmentError], str, str, Callable[[Catalog], "Command | list[Command]"]]

REFUSALS: list[Refusal] = [
    # What it is; which error; where; words of the sentence; the command, or several of which the
    # last one is refused.
    # Flags.
    ("flag key", InvalidInput, "$.flags.a b", "a key is",
     lambda _: c.Create(replace(FLAG, key="a b"))),
    ("flag name", InvalidInput, "$.flags.new.name", "at most 1,024", lambda _: flag(name=LONG)),
    ("flag state", InvalidInput, "$.flags.new.state", "on, off or", lambda _: flag(state="of")),
    ("flag without variations", InvalidChange, "$.flags.new.variations", "at least one",
     lambda _: flag(variations=())),
    ("variation key", InvalidInput, "$.flags.new.variations.", "a key is",
     lambda _: flag(variations=(Variation("", "1"),))),
    ("variation twice", InvalidChange, "$.flags.new.variations.blue", "two variations",
     lambda _: flag(variations=(FLAG.variations[0],) * 2)),
    ("variation not JSON", InvalidInput, "$.flags.new.variations.blue.value", "JSON",
     lambda _: flag(variations=(Variation("blue", "#00f"),))),
    ("variation NaN", InvalidInput, "$.flags.new.variations.blue.value", "JSON",
     lambda _: flag(variations=(Variation("blue", "[NaN]"),))),
    ("flag default", NotFound, "$.flags.new.default", "'red' is not a variation",
     lambda _: flag(default="red")),
    ("listed twice", InvalidChange, "$.flags.button.experiments[1]", "listed twice",
     lambda _: c.OrderExperiments("button", (FlagExperiment("checkout"),) * 2)),
    ("listed unknown", NotFound, "$.flags.button.experiments[0]", "no experiment 'gone'",
     lambda _: c.OrderExperiments("button", (FlagExperiment("gone"),))),
    ("listed miss", InvalidInput, "$.flags.button.experiments[0]", "next or stop",
     lambda _: c.OrderExperiments("button", (FlagExperiment("checkout", "go"),))),
    ("listed does not set", InvalidChange, "$.flags.colour.experiments[0]", "does not set it",
     lambda _: c.OrderExperiments("colour", (FlagExperiment("checkout"),))),
    ("variation in use", NotFound, f"{X}.treatments.green.sets.button", "no variation 'green'",
     lambda _: c.SetVariations("button", FLAG.variations[:1], "blue")),
    ("flag in use", Conflict, "$.flags.button", "still named by the treatments of experiment",
     lambda _: c.Delete("flag", "button")),
    # Segments.
    ("segment unit", InvalidInput, "$.segments.nordics.unit", "a key is",
     lambda _: c.SetMembers("nordics", "", IdList(), IdList())),
    ("segment lists", InvalidInput, "$.segments.nordics", "lists of ids",
     lambda _: c.SetMembers("nordics", "user", ("u1",), IdList())),
    ("too many rules", InvalidChange, "$.segments.nordics.rules", "at most 1,000 rules",
     lambda _: ruled(*[IS_NORDIC] * 1001)),
    ("too deep", InvalidChange, "$.segments.nordics.rules[0]" + ".not" * 32, "32 deep",
     lambda _: ruled(nested(33))),
    ("far too deep", InvalidChange, "$.segments.nordics.rules[0]" + ".not" * 32, "32 deep",
     lambda _: ruled(nested(50_000))),
    ("not a condition", InvalidInput, "$.segments.nordics.rules[0].any[1]", "not a str",
     lambda _: ruled(AnyOf((IS_NORDIC, "SE")))),
    ("segment unknown", NotFound, "$.segments.nordics.rules[1].all[0]", "no segment 'gone'",
     lambda _: ruled(IS_NORDIC, AllOf((InSegment("gone"),)))),
    ("segment in itself", InvalidChange, "$.segments.nordics.rules[0]", "back to itself",
     lambda _: ruled(InSegment("nordics"))),
    ("segment cycle", InvalidChange, "$.segments.nordics.rules[0].not", "through 'both'",
     lambda _: ruled(Not(InSegment("both")))),
    ("no path", InvalidInput, "$.segments.nordics.rules[0]", "path has 1 to 32",
     lambda _: clause(Operator.EXISTS, path=())),
    ("empty step", InvalidInput, "$.segments.nordics.rules[0]", "text, not empty",
     lambda _: clause(Operator.EXISTS, path=("a", ""))),
    ("exists with a value", InvalidInput, "$.segments.nordics.rules[0]", "exists takes no",
     lambda _: clause(Operator.EXISTS, 1)),
    ("no values", InvalidInput, "$.segments.nordics.rules[0]", "1 to 10,000 values, not 0",
     lambda _: clause(Operator.IN)),
    ("too many values", InvalidInput, "$.segments.nordics.rules[0]", "not 10,001",
     lambda _: clause(Operator.IN, *range(10_001))),
    ("not a scalar", InvalidInput, "$.segments.nordics.rules[0]", "text, a number, true",
     lambda _: clause(Operator.IN, None)),
    ("infinite", InvalidInput, "$.segments.nordics.rules[0]", "finite",
     lambda _: clause(Operator.LESS, float("inf"))),
    ("not a number", InvalidInput, "$.segments.nordics.rules[0]", "finite",
     lambda _: clause(Operator.IN, float("nan"))),
    ("less than text", InvalidInput, "$.segments.nordics.rules[0]", "with a number",
     lambda _: clause(Operator.LESS, "1")),
    ("less than a bool", InvalidInput, "$.segments.nordics.rules[0]", "with a number",
     lambda _: clause(Operator.AT_LEAST, True)),
    ("contains a number", InvalidInput, "$.segments.nordics.rules[0]", "with text",
     lambda _: clause(Operator.CONTAINS, 1)),
    ("whole number beyond 64 bits", InvalidInput, "$.segments.nordics.rules[0]", "64 bits",
     lambda _: clause(Operator.AT_MOST, 2**63)),
    ("surrogate", InvalidInput, "$.segments.nordics.rules[0]", "lone surrogate",
     lambda _: clause(Operator.IN, "\ud800")),
    ("long pattern", InvalidInput, "$.segments.nordics.rules[0]", "at most 1,024",
     lambda _: clause(Operator.MATCHES, LONG)),
    ("segment in use", Conflict, "$.segments.nordics", "by experiment 'search'",
     lambda _: c.Delete("segment", "nordics")),
    ("segment inside another", Conflict, "$.segments.testers", "by segment 'both'",
     lambda b: [c.SetAudience("search", None), c.Delete("segment", "testers")]),
    ("lists of another unit", InvalidChange, "$.experiments.search.audience", "kind 'device'",
     lambda _: c.SetMembers("testers", "device", IdList.of(["d1"]), IdList())),
    ("experiment of another unit", InvalidChange, "$.experiments.tablet.audience", "'device'",
     lambda _: c.SetAudience("tablet", "testers")),
    # Layers and holdouts.
    ("layer salt", InvalidInput, "$.layers.new.salt", "1 to 1,024",
     lambda _: c.Create(Layer("new", LONG))),
    ("layer salt twice", Conflict, "$.layers.new.salt", "layer 'pages' has the salt",
     lambda _: c.Create(Layer("new", "pages"))),
    ("layer unit", InvalidInput, "$.layers.new.unit", "a key is",
     lambda _: c.Create(Layer("new", "", unit="\n"))),
    ("reserved twice", InvalidChange, "$.layers.pages.reservations", "twice",
     lambda _: reserved(CHECKOUT, CHECKOUT, SEARCH)),
    ("reserved for nobody", NotFound, "$.layers.pages.reservations.gone", "no experiment",
     lambda _: reserved(CHECKOUT, SEARCH, Reservation("gone", ()))),
    ("reserved for an outsider", InvalidChange, "$.layers.device-pages.reservations.tablet",
     "not in this layer",
     lambda _: c.Replace(Layer("device-pages", "", unit="device",
                               reservations=(Reservation("tablet", (Range(0, 1),)),)))),
    ("reserves nothing", InvalidChange, f"{X}.layer", "reserves nothing",
     lambda _: reserved(SEARCH)),
    ("overlap", Conflict, "$.layers.pages.reservations.search", "both reserve bucket 399,999",
     lambda _: reserved(CHECKOUT, ranges((399_999, 500_000)))),
    ("range backwards", InvalidInput, "$.layers.pages.reservations.search", "ascend",
     lambda _: reserved(CHECKOUT, ranges((500_000, 400_000)))),
    ("range beyond", InvalidInput, "$.layers.pages.reservations.search", "1,000,000",
     lambda _: reserved(CHECKOUT, ranges((500_000, 1_000_001)))),
    ("ranges unordered", InvalidInput, "$.layers.pages.reservations.search", "ascend",
     lambda _: reserved(CHECKOUT, ranges((500_000, 600_000), (400_000, 500_000)))),
    ("range of floats", InvalidInput, "$.layers.pages.reservations.search", "whole",
     lambda _: reserved(CHECKOUT, ranges((500_000, 600_000.0)))),
    ("too many ranges", InvalidChange, "$.layers.pages.reservations.search", "at most 1,024",
     lambda _: reserved(CHECKOUT, ranges(*((500_000 + 2 * i, 500_001 + 2 * i)
                                           for i in range(1025))))),
    ("no room", Conflict, "$.layers.pages.reservations.search", "only 200,000 are free",
     lambda _: c.Reserve("pages", "search", 600_001)),
    ("share below zero", InvalidInput, "$.layers.pages.reservations.search", "0 to 1,000,000",
     lambda _: c.Reserve("pages", "search", -1)),
    ("reserved share above all", InvalidInput, "$.layers.pages.reservations.search", "0 to 1,0",
     lambda _: reserved(CHECKOUT, Reservation("search", share_ppm=1_000_001))),
    ("share and ranges", InvalidChange, "$.layers.pages.reservations.search", "agree",
     lambda _: c.Reserve("pages", "search", 5, (Range(400_000, 400_004),))),
    ("layer unknown", NotFound, f"{X}.layer", "no layer 'gone'",
     lambda b: [c.Release("checkout"), wholly(b, layer="gone")]),
    ("layer of another unit", InvalidChange, "$.layers.device-pages.reservations.checkout",
     "the same kind of unit",
     lambda _: [c.Release("checkout"), c.Reserve("device-pages", "checkout", 1)]),
    ("two layers", Conflict, "$.layers.device-pages.reservations.checkout", "release it",
     lambda _: c.Reserve("device-pages", "checkout", 1)),
    ("layer in use", Conflict, "$.layers.pages", "'checkout' and 1 more",
     lambda _: c.Delete("layer", "pages")),
    ("left without release", Conflict, "$.layers.pages.reservations.checkout", "still reserves",
     lambda b: wholly(b, layer=None)),
    ("gone without release", Conflict, "$.layers.pages.reservations.checkout", "release them",
     lambda _: [c.EndIteration("checkout"), c.Delete("experiment", "checkout")]),
    ("holdout share", InvalidInput, "$.holdouts.q4.share", "0 to 1,000,000",
     lambda _: c.SetHoldoutShare("q4", 1_000_001)),
    ("holdout share in percent", InvalidInput, "$.holdouts.q4.share", "0 to 1,000,000",
     lambda _: c.SetHoldoutShare("q4", 0.5)),
    ("holdout unknown", NotFound, f"{X}.holdout", "no holdout 'gone'",
     lambda _: c.SetHoldout("checkout", "gone")),
    ("holdout of another unit", InvalidChange, f"{X}.holdout", "the same kind of unit",
     lambda _: c.SetHoldout("checkout", "devices")),
    ("holdout in use", Conflict, "$.holdouts.q4", "by experiment 'checkout'",
     lambda _: [c.SetHoldout("checkout", "q4"), c.Delete("holdout", "q4")]),
    ("holdout changes unit", InvalidChange, "$.holdouts.q4.unit", "the same kind of unit",
     lambda _: [c.SetHoldout("checkout", "q4"), c.Replace(Holdout("q4", "", 1, unit="device"))]),
    ("holdout salt twice", Conflict, "$.holdouts.new.salt", "holdout 'q4' has the salt",
     lambda _: c.Create(Holdout("new", "q4", 1))),
    # Experiments.
    ("experiment taken", Conflict, X, "another experiment's already",
     lambda _: c.Create(experiment())),
    ("experiment unit", InvalidInput, f"{X}.unit", "a key is", lambda b: wholly(b, unit="")),
    ("experiment switch", InvalidInput, f"{X}.intake_open", "true or false",
     lambda _: c.SetIntake("checkout", 0)),
    ("no iterations", InvalidChange, X, "at least one iteration", runs),
    ("numbers descend", InvalidChange, X, "ascend",
     lambda b: runs(b, replace(STOPPED, number=2), iteration())),
    ("number zero", InvalidInput, X, "from 1", lambda b: checkout(b, number=0)),
    ("two live", InvalidChange, f"{X}.iterations[0]", "a paused one cannot follow a running one",
     lambda b: runs(b, iteration(), iteration(State.PAUSED, 2))),
    ("two drafts", InvalidChange, X, "a draft one cannot follow",
     lambda b: runs(b, iteration(State.DRAFT), DRAFT)),
    ("stopped after live", InvalidChange, f"{X}.iterations[0]", "a stopped one cannot follow",
     lambda b: runs(b, iteration(), iteration(State.STOPPED, 2))),
    ("salt not kept", InvalidChange, X, "keeps the salt",
     lambda b: runs(b, STOPPED, iteration(number=2, salt="other"))),
    ("reshuffled in vain", InvalidChange, X, "a salt of its own",
     lambda b: runs(b, STOPPED, iteration(number=2, salt="checkout#1", reshuffle=True))),
    ("archived and live", InvalidChange, X, "does not run", lambda b: wholly(b, archived=True)),
    ("salt of another", Conflict, f"{X}.salt", "declare shared_salt in both",
     lambda b: checkout(b, salt="search#1")),
    ("salt shared by one only", Conflict, f"{X}.salt", "declare shared_salt in both",
     lambda b: c.Replace(replace(b.experiments["checkout"], shared_salt=True, iterations=(
         iteration(salt="search#1"),)))),
    ("salt with a surrogate", InvalidInput, f"{X}.salt", "surrogate",
     lambda b: checkout(b, salt="\udfff")),
    ("override twice", InvalidChange, f"{X}.overrides.u1", "two overrides",
     lambda _: c.SetOverrides("checkout", (("u1", "green"), ("u1", "control")))),
    ("override of a stranger", NotFound, f"{X}.overrides.u1", "'red' is not a treatment",
     lambda _: c.SetOverrides("checkout", (("u1", "red"),))),
    ("override of no unit", InvalidInput, f"{X}.overrides", "1 to 1,024 UTF-8 bytes",
     lambda _: c.SetOverrides("checkout", (("", "green"),))),
    ("too many overrides", InvalidChange, f"{X}.overrides", "at most 10,000",
     lambda _: c.SetOverrides("checkout", tuple((f"u{i}", "green") for i in range(10_001)))),
    ("overridden twice in a layer", Conflict, "$.experiments.search.overrides.u1",
     "experiment 'checkout' of the same layer",
     lambda _: c.SetOverrides("search", (("u1", "green"),))),
    ("override lost by starting over", NotFound, f"{X}.overrides.u1", "treatment of iteration 2",
     lambda _: [c.DraftIteration("checkout", Iteration(2, TREATMENTS[:1], (
         Allocation("everyone", (("control", 1),), 1),))), c.StartIteration("checkout", "why")]),
    ("listed and no longer set", InvalidChange, f"{X}.treatments.green.sets", "does not set it",
     lambda _: [c.OrderExperiments("button", (FlagExperiment("checkout"),)),
                c.SetTreatments("checkout", (TREATMENTS[0], Treatment("green")), "control")]),
    ("listed by a flag", Conflict, "$.experiments.checkout", "by flag 'button'",
     lambda _: [c.OrderExperiments("button", (FlagExperiment("checkout"),)),
                c.Release("checkout"), c.EndIteration("checkout"),
                c.Delete("experiment", "checkout")]),
    # What is kept.
    ("kept outside a dialect", InvalidInput, f"{X}.kept", "the dialect and at least one more step",
     lambda _: c.Keep("experiment", "checkout", "flow", "1")),
    ("kept nowhere", InvalidInput, f"{X}.kept", "the dialect", lambda _: kept("a//b", "1")),
    ("kept at a path with a newline", InvalidInput, f"{X}.kept", "the dialect",
     lambda _: kept("a/b\n", "1")),
    ("kept at an endless path", InvalidInput, f"{X}.kept", "at most 1,024 characters",
     lambda _: kept("a/" + "b" * 1023, "1")),
    ("kept and not JSON", InvalidInput, f'{X}.kept["a/b"]', "JSON text", lambda _: kept("a/b", "")),
    ("kept and not a number", InvalidInput, f'{X}.kept["a/b"]', "JSON text",
     lambda _: kept("a/b", "[NaN]")),
    ("kept with a surrogate", InvalidInput, f'{X}.kept["a/b"]', "JSON text",
     lambda _: kept("a/b", '"\ud800"')),
    ("kept and endless", InvalidInput, f'{X}.kept["a/b"]', "at most 65,536 characters",
     lambda _: kept("a/b", f'"{"x" * 65_535}"')),
    ("kept twice", InvalidChange, f"{X}.kept", "each once",
     lambda b: wholly(b, kept=(("a/b", "1"), ("a/b", "2")))),
    ("kept too often", InvalidChange, f"{X}.kept", "at most 1,000 values, not 1,001",
     lambda b: wholly(b, kept=tuple((f"a/{i}", "1") for i in range(1001)))),
    # Iterations.
    ("started before 1970", InvalidInput, f"{X}.started_at", "whole milliseconds since 1970",
     lambda b: checkout(b, started_at=-1)),
    ("started after 9999", InvalidInput, f"{X}.started_at", "before the year 10000",
     lambda b: checkout(b, started_at=limits.INSTANT_END)),
    ("started at a float", InvalidInput, f"{X}.started_at", "whole milliseconds",
     lambda b: checkout(b, started_at=1.5)),
    ("started over at true", InvalidInput, f"{X}.iterations[0].ended_at", "whole milliseconds",
     lambda _: [c.DraftIteration("checkout", DRAFT), c.StartIteration("checkout", "why", True)]),
    ("ended and runs", InvalidChange, f"{X}.ended_at", "that is running has not ended",
     lambda b: checkout(b, ended_at=1)),
    ("started and a draft", InvalidChange, f"{X}.iterations[0].started_at", "has not started",
     lambda b: runs(b, iteration(), replace(DRAFT, started_at=1))),
    ("no treatments", InvalidChange, f"{X}.treatments", "1 to 256 treatments, not 0",
     lambda b: checkout(b, treatments=(), allocations=(Allocation("everyone", (), 1),))),
    ("too many treatments", InvalidChange, f"{X}.treatments", "not 257",
     lambda b: checkout(b, treatments=many(257),
                        allocations=(Allocation("everyone", (), 1),))),
    ("treatment key", InvalidInput, f"{X}.treatments.-", "a key is",
     lambda b: checkout(b, treatments=(*TREATMENTS, Treatment("-")))),
    ("treatment twice", InvalidChange, f"{X}.treatments.green", "two treatments",
     lambda b: checkout(b, treatments=(*TREATMENTS, Treatment("green")))),
    ("flag set twice", InvalidChange, f"{X}.treatments.green.sets", "once",
     lambda b: checkout(b, treatments=(TREATMENTS[0], Treatment(
         "green", sets=(("button", "blue"), ("button", "green")))))),
    ("flag unknown", NotFound, f"{X}.treatments.green.sets.gone", "no flag 'gone'",
     lambda b: checkout(b, treatments=(TREATMENTS[0], Treatment("green", sets=(("gone", "x"),))))),
    ("variation unknown", NotFound, f"{X}.treatments.green.sets.button", "no variation 'red'",
     lambda b: checkout(b, treatments=(TREATMENTS[0],
                                       Treatment("green", sets=(("button", "red"),))))),
    ("control", NotFound, f"{X}.control", "'red' is not a treatment",
     lambda b: checkout(b, control="red")),
    ("winner", NotFound, f"{X}.winner", "'red' is not a treatment",
     lambda _: c.EndIteration("checkout", "red")),
    ("audience unknown", NotFound, f"{X}.audience", "no segment 'gone'",
     lambda _: c.SetAudience("checkout", "gone")),
    ("enrolment", InvalidInput, f"{X}.enrolment", "0 to 1,000,000",
     lambda _: c.SetEnrolment("checkout", -1)),
    ("justification", InvalidInput, f"{X}.justification", "16,384",
     lambda b: checkout(b, justification="x" * 16_385)),
    ("iteration unknown", NotFound, f"{X}.iterations", "no iteration 9",
     lambda _: c.SetEnrolment("checkout", 1, 9)),
    # Allocations.
    ("no allocations", InvalidChange, f"{X}.allocations", "1 to 256 allocations, not 0",
     allocated),
    ("too many allocations", InvalidChange, f"{X}.allocations", "not 257",
     lambda b: allocated(b, *(replace(EVERYONE, key=f"a{i}", priority=i + 1)
                              for i in range(257)))),
    ("allocation key", InvalidInput, f"{X}.allocations[0].key", "a key is",
     lambda b: allocated(b, replace(EVERYONE, key=""))),
    ("allocation twice", InvalidChange, f"{X}.allocations[1].key", "two allocations",
     lambda b: allocated(b, EVERYONE, replace(EVERYONE, priority=2))),
    ("priority twice", InvalidChange, f"{X}.allocations[1].priority", "priority 1 too",
     lambda b: allocated(b, EVERYONE, replace(OTHER, priority=1))),
    ("priority zero", InvalidChange, f"{X}.allocations[0].priority", "a priority is 1 to",
     lambda b: allocated(b, replace(EVERYONE, priority=0))),
    ("priority text", InvalidInput, f"{X}.allocations[0].priority", "whole number",
     lambda b: allocated(b, replace(EVERYONE, priority="1"))),
    ("two fallbacks", InvalidChange, f"{X}.allocations[1].fallback", "at most one fallback",
     lambda b: allocated(b, FALLBACK, replace(FALLBACK, key="second"))),
    ("fallback with a priority", InvalidChange, f"{X}.allocations[0].priority", "priority 0",
     lambda b: allocated(b, replace(FALLBACK, priority=3))),
    ("fallback with a segment", InvalidChange, f"{X}.allocations[0].segment", "no segment",
     lambda b: allocated(b, replace(FALLBACK, segment="nordics"))),
    ("allocation's segment", NotFound, f"{X}.allocations[1].segment", "no segment 'gone'",
     lambda b: allocated(b, EVERYONE, replace(OTHER, segment="gone"))),
    ("allocation unknown", NotFound, f"{X}.allocations", "no allocation 'gone'",
     lambda _: c.SetWeights("checkout", "gone", (("green", 1),), 1)),
    ("weights above the total", InvalidChange, f"{X}.allocations[0].weights",
     "sum to 101, which is 1 above",
     lambda _: c.SetWeights("checkout", "everyone", (("control", 50), ("green", 51)), 100)),
    ("weight below zero", InvalidChange, f"{X}.allocations[0].weights", "0 or more",
     lambda _: c.SetWeights("checkout", "everyone", (("control", -1),), 100)),
    ("weight a float", InvalidChange, f"{X}.allocations[0].weights", "whole number",
     lambda _: c.SetWeights("checkout", "everyone", (("control", 0.5),), 1)),
    ("weight of a stranger", NotFound, f"{X}.allocations[0].weights", "no treatment 'red'",
     lambda _: c.SetWeights("checkout", "everyone", (("red", 1),), 1)),
    ("weight twice", InvalidChange, f"{X}.allocations[0].weights", "two weights",
     lambda _: c.SetWeights("checkout", "everyone", (("green", 1), ("green", 1)), 2)),
    ("total zero", InvalidChange, f"{X}.allocations[0].weights", "whole number, 1 to",
     lambda _: c.SetWeights("checkout", "everyone", (), 0)),
    ("weight of a removed treatment", NotFound, f"{X}.allocations[0].weights", "'control'",
     lambda _: c.SetTreatments("checkout", TREATMENTS[1:], "green")),
    ("total beyond 64 bits", InvalidChange, f"{X}.allocations[0].weights", "1 to 9,223,",
     lambda _: c.SetWeights("checkout", "everyone", (), 2**63)),
    ("fallback neither true nor false", InvalidInput, f"{X}.allocations[0].fallback", "true or",
     lambda b: allocated(b, replace(FALLBACK, fallback=1))),
    # Slots.
    ("slots short", InvalidChange, f"{X}.allocations[0].slots", "owns 500,000 buckets",
     lambda b: allocated(b, replace(EVERYONE, slots=(
         Slot(0, 499_999, "control"), Slot(499_999, 999_999, "green"))))),
    ("slots overlap", InvalidInput, f"{X}.allocations[0].slots", "without overlap",
     lambda b: allocated(b, replace(EVERYONE, slots=(
         Slot(0, 500_000, "control"), Slot(499_999, 999_999, "green"))))),
    ("slots of a stranger", InvalidChange, f"{X}.allocations[0].slots", "'red'",
     lambda b: allocated(b, Allocation("everyone", (("control", 1),), 2, slots=(
         Slot(0, 500_000, "control"), Slot(500_000, 999_999, "red"))))),
    ("slots of floats", InvalidInput, f"{X}.allocations[0].slots", "whole numbers",
     lambda b: allocated(b, replace(EVERYONE, slots=(
         Slot(0, 5e5, "green"), Slot(500_000, 1_000_000, "control"))))),
    ("too many slots", InvalidChange, f"{X}.allocations[0].slots", "at most 1,024",
     lambda b: allocated(b, replace(EVERYONE, slots=tuple(
         Slot(2 * i, 2 * i + 1, "green") for i in range(1025))))),
    # The path of an iteration that is not the current one.
    ("weights beside the live one", InvalidChange, f"{X}.iterations[0].allocations[0].weights",
     "total", lambda _: c.DraftIteration("checkout", replace(DRAFT, allocations=(
         replace(EVERYONE, total=0),)))),
    ("beside the live one", NotFound, f"{X}.iterations[0].audience", "no segment 'gone'",
     lambda _: c.DraftIteration("checkout", replace(DRAFT, audience="gone"))),
]  # fmt: skip


@pytest.mark.parametrize(
    ("error", "path", "words", "make"),
    [refusal[1:] for refusal in REFUSALS],
    ids=[refusal[0].replace(" ", "-") for refusal in REFUSALS],
)
def test_a_fault_is_refused_with_its_place_and_a_sentence(
    base: Catalog,
    error: type[AllotmentError],
    path: str,
    words: str,
    make: Callable[[Catalog], Command | list[Command]],
) -> None:
    made = make(base)
    *before, last = made if isinstance(made, list) else [made]
    ready = changed(base, *before)
    with pytest.raises(error) as refusal:
        apply(ready, [last])
    assert refusal.value.path == path
    assert words in refusal.value.message
    assert type(refusal.value) is error


def test_the_fault_is_at_the_segment_and_not_at_who_uses_it(base: Catalog) -> None:
    commands = [c.SetEnrolment("search", 5), c.SetRules("both", (InSegment("gone"),))]
    with pytest.raises(NotFound) as refusal:
        apply(base, commands)
    assert (refusal.value.path, refusal.value.command) == ("$.segments.both.rules[0]", 1)


def test_a_catalog_has_a_largest_number_of_experiments(
    base: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("allotment.change.check.experiment.EXPERIMENTS_MAX", 3)
    assert limits.EXPERIMENTS_MAX == 100_000
    with pytest.raises(InvalidChange, match="at most 3 experiments"):
        apply(base, [c.Create(experiment("fourth"))])


def test_iterations_of_one_experiment_may_share_a_salt_and_declared_experiments_too() -> None:
    shared = [
        experiment(key, iteration(salt="one"), shared_salt=True) for key in ("checkout", "search")
    ]
    both = catalog(*shared)
    with pytest.raises(Conflict, match="'checkout' uses the salt 'one' too"):
        apply(both, [c.Replace(replace(shared[1], shared_salt=False))])


def test_layers_and_holdouts_may_have_the_salt_of_an_experiment() -> None:
    made = catalog(
        Layer("a", "same"), Holdout("a", "same", 1), experiment("a", iteration(salt="same"))
    )
    assert made.layers["a"].salt == made.holdouts["a"].salt == "same"


def test_an_archived_experiment_outlives_the_flags_and_segments_it_named() -> None:
    made = catalog(
        Segment("nordics"), experiment("old", iteration(State.STOPPED, audience="nordics"))
    )
    made = changed(made, c.ArchiveExperiment("old"))
    gone = changed(made, c.Delete("flag", "button"), c.Delete("segment", "nordics"))
    with pytest.raises(NotFound, match="no flag 'button'"):
        apply(gone, [c.RestoreExperiment("old")])
    check_catalog(gone)
    shown = catalogfile.show(gone)
    assert catalogfile.read(shown, gone) == ()
    assert changed(EMPTY, *catalogfile.read(shown, EMPTY)).experiments == gone.experiments
    assert Engine(compile_catalog(gone)).assign("old", "user-1").reason == "INACTIVE"


def test_an_archived_experiment_outlives_a_variation_and_is_not_outlived_by_a_completed_one() -> (
    None
):
    made = catalog(experiment("old", iteration(State.STOPPED)))
    fewer = c.SetVariations("button", FLAG.variations[:1], "blue")
    with pytest.raises(NotFound, match="no variation 'green'"):
        apply(made, [fewer])
    assert changed(made, c.ArchiveExperiment("old"), fewer).flags["button"].variations


def test_an_iteration_that_can_no_longer_answer_outlives_what_it_named() -> None:
    made = catalog(
        Segment("nordics"),
        experiment("old", iteration(State.STOPPED, audience="nordics"), iteration(number=2)),
    )
    assert "nordics" not in changed(made, c.Delete("segment", "nordics")).segments


def test_an_experiment_that_keeps_assignments_gives_up_no_slots_while_it_runs() -> None:
    made = catalog(
        Layer("pages", "", reservations=(Reservation("checkout", share_ppm=400_000),)),
        Layer("others", ""),
        experiment(layer="pages", keeps_assignments=True),
        experiment("outside", keeps_assignments=True),
    )
    taking = [
        [c.Reserve("pages", "checkout", 399_999)],
        [c.Reserve("pages", "checkout", 400_000, (Range(1, 400_001),))],
        [c.Release("checkout")],
        [c.Release("checkout"), c.Reserve("others", "checkout", 1_000_000)],
        [c.Reserve("others", "outside", 999_999)],
        [c.Replace(replace(made.layers["pages"], salt="other"))],
    ]
    for commands in taking:
        with pytest.raises(InvalidChange, match="gives up no slots while it runs") as refusal:
            apply(made, commands)
        assert refusal.value.path.startswith("$.layers.")
    grown = changed(made, c.Reserve("pages", "checkout", 400_001))
    stopped = changed(grown, c.EndIteration("checkout"), c.Release("checkout"))
    assert stopped.experiments["checkout"].layer is None
    forgets = c.SetKeeping("checkout", keeps_assignments=False, ignore_targeting=False)
    assert changed(made, forgets, c.Release("checkout")).layers["pages"].reservations == ()


@pytest.mark.parametrize(
    "fields",
    [
        {"control": "blue"},
        {"winner": "blue"},
        {"treatments": TREATMENTS[:1]},
        {"treatments": TREATMENTS[::-1]},
        {"profile": "unleash-variant-1"},
        {"allocations": (EVERYONE,)},
    ],
)
def test_what_experiments_share_is_checked_with_the_rest_of_each(fields: dict[str, object]) -> None:
    made = catalog(experiment("one"))
    one = made.experiments["one"]
    other = replace(one, key="other", iterations=(replace(one.current, salt="other", **fields),))
    twin = replace(other, iterations=(replace(one.current, salt="other"),))
    check_catalog(replace(made, experiments=made.experiments.change({"other": twin})))
    with pytest.raises((InvalidChange, InvalidInput)):
        check_catalog(replace(made, experiments=made.experiments.change({"other": other})))
