"""A catalog whose every text tries to be more than text."""

from __future__ import annotations

from dataclasses import replace

from allotment.change.apply import apply
from allotment.change.commands import Command, Create, OrderExperiments, Reserve
from allotment.model.catalog import EMPTY, Catalog
from allotment.model.experiment import Allocation, Experiment, Iteration, State, Treatment
from allotment.model.flag import Flag, FlagExperiment, Variation
from allotment.model.layer import Holdout, Layer
from allotment.model.segment import AllOf, AnyOf, Clause, IdList, InSegment, Not, Operator, Segment

MARKUP = "\"><script>alert(1)</script><img src=x onerror=alert(2)>'{{7*7}}</title></svg>"
TURNED = "\u202e\u2066abc\u202e gpj.exe"
LONG = "k" * 200
MANY = 256
TEXTS = (MARKUP, TURNED, "&lt;b&gt;", "javascript:alert(3)", "\U0001f469\u200d\U0001f4bb")


def commands() -> list[Command]:
    """What makes it: each kind of noun, with such texts wherever a text may stand."""
    flag = Flag(
        LONG,
        (Variation("v-" + LONG, '"</script><script>alert(4)</script>"', MARKUP, TURNED),
         Variation("w", '{"a": "<!--"}')),
        "w",
        MARKUP,
        TURNED,
    )  # fmt: skip
    treatments = tuple(
        Treatment(f"t{n}-{LONG}", TEXTS[n % len(TEXTS)], ((LONG, "w"), ("listed", "w")))
        for n in range(MANY)
    )
    clause = Clause((MARKUP, TURNED), Operator.IN, (MARKUP, 1, 1.5, True))
    segment = Segment(
        LONG,
        MARKUP,
        TURNED,
        include=IdList.of([MARKUP, TURNED]),
        rules=(AllOf((Not(clause), AnyOf((Clause(("a",), Operator.EXISTS),)))), InSegment("plain")),
    )
    weights = tuple((each.key, 1) for each in treatments)
    run = Iteration(
        1,
        treatments,
        (
            Allocation(LONG, weights, MANY, segment=segment.key),
            Allocation("b", weights[:7], MANY * 3, fallback=True, priority=0),
        ),
        State.RUNNING,
        control=treatments[0].key,
        audience=segment.key,
        justification=MARKUP,
        started_at=1_700_000_000_000,
    )
    experiment = Experiment(
        LONG,
        (run,),
        MARKUP,
        TURNED,
        holdout=LONG,
        overrides=((MARKUP, treatments[1].key), (TURNED, treatments[2].key)),
        kept=(("confidence/owner", '"<script>alert(5)</script>"'),),
    )
    return [
        Create(Segment("plain", rules=(Clause(("b",), Operator.AT_LEAST, (1,)),))),
        Create(segment),
        Create(flag),
        Create(replace(flag, key="listed")),
        Create(Layer(LONG, "", MARKUP, TURNED)),
        Create(Holdout(LONG, "", 10_000, MARKUP, TURNED)),
        Create(experiment),
        Reserve(LONG, LONG, 125_000),
        OrderExperiments("listed", (FlagExperiment(LONG),)),
    ]


def catalog() -> Catalog:
    """The catalog itself."""
    return apply(EMPTY, commands()).catalog
