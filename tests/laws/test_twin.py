"""Kernel and twin agree: every way to ask, on random catalogs that use every feature.

ALLOTMENT_TWIN_INPUTS sets how many (experiment, unit, attributes) inputs a run of `make test` asks.
"""

from __future__ import annotations

import os
from collections import Counter
from random import Random

import pytest

from allotment.compile import compile_catalog
from allotment.engine import Engine
from allotment.engine.column import Column
from allotment.model.assignment import REASONS, Assignment, Reason
from allotment.reference import assign, explain, resolve
from laws.catalogs import VALUES, Maker, Question

SHARDS = 20
INPUTS = int(os.environ.get("ALLOTMENT_TWIN_INPUTS", "1000000"))
SOAK_INPUTS = 10 * INPUTS
UNITS = 100  # asked in each catalog


@pytest.mark.parametrize("shard", range(SHARDS))
def test_kernel_and_twin_give_every_random_input_the_same_answer(shard: int, seed: int) -> None:
    _compare(INPUTS // SHARDS, shard, seed)


@pytest.mark.soak
@pytest.mark.parametrize("shard", range(SHARDS))
def test_kernel_and_twin_agree_ten_times_as_often(shard: int, seed: int) -> None:
    _compare(SOAK_INPUTS // SHARDS, SHARDS + shard, seed)


def _compare(inputs: int, shard: int, seed: int) -> None:
    reasons: Counter[Reason] = Counter()
    number = 0
    while reasons.total() < inputs:
        where = f"--seed {seed}, shard {shard}, catalog {number}"
        bout = Bout(Random(f"{seed}/{shard}/{number}"), where)
        bout.ask_one_by_one()
        bout.ask_for_all_at_once()
        bout.ask_in_batches()
        bout.resolve_and_explain()
        reasons.update(answer.reason for answers in bout.twin for answer in answers)
        number += 1
    if inputs >= 10_000:
        never = {Reason.UNKNOWN_EXPERIMENT, Reason.FAILED}
        assert set(reasons) == set(REASONS) - never, f"a reason is never given: {where}"


class Bout:
    """One random catalog and some questions: `twin[i][k]` answers question i on experiment k."""

    def __init__(self, rng: Random, where: str) -> None:
        maker = Maker(rng)
        self.rng = rng
        self.where = where
        self.catalog = maker.catalog()
        self.experiments = list(self.catalog.experiments.values())
        self.keys = [experiment.key for experiment in self.experiments]
        self.engine = Engine(compile_catalog(self.catalog))
        self.questions = maker.questions(self.experiments, UNITS)
        self.twin = [
            [assign(self.catalog, k, q.unit, q.attributes, q.stored[k]) for k in self.keys]
            for q in self.questions
        ]

    def unkept(self, question: Question, answer: Assignment) -> Assignment:
        """The answer where nothing is kept, which differs only where what was kept decided."""
        if answer.reason is not Reason.STICKY:
            return answer
        return assign(self.catalog, answer.experiment, question.unit, question.attributes)

    def ask_one_by_one(self) -> None:
        for question, answers in zip(self.questions, self.twin, strict=True):
            unit, attributes = question.unit, question.attributes
            for key, expected in zip(self.keys, answers, strict=True):
                given = self.engine.assign(key, unit, attributes, question.stored[key])
                assert given == expected, self.said("single", key, question)

    def ask_for_all_at_once(self) -> None:
        for question, answers in zip(self.questions, self.twin, strict=True):
            everything = self.engine.assign_all(question.unit, question.attributes)
            assert list(everything) == self.keys, self.where
            for key, answer in zip(self.keys, answers, strict=True):
                expected = self.unkept(question, answer)
                assert everything[key] == expected, self.said("all", key, question)

    def ask_in_batches(self) -> None:
        units, attributes, threads = self.units(), self.attributes(), self.rng.choice((1, 2))
        table = self.engine.assign_table(units, attributes=attributes, threads=threads)
        for place, key in enumerate(self.keys):
            stored = [question.stored[key] for question in self.questions]
            kept = self.engine.assign_many(key, units, attributes, stored=stored, threads=threads)
            for row, question in enumerate(self.questions):
                answer = self.twin[row][place]
                assert _row(kept, row) == (answer.treatment, answer.reason), self.said(
                    f"row {row} of a batch on {threads} threads", key, question
                )
                answer = self.unkept(question, answer)
                assert _row(table[key], row) == (answer.treatment, answer.reason), self.said(
                    f"row {row} of a table on {threads} threads", key, question
                )

    def units(self) -> object:
        """One column, or one a kind."""
        named = [question.unit for question in self.questions]
        if not isinstance(named[0], dict):
            return named
        kinds = ("user", "device")
        return {
            kind: [each.get(kind) for each in named if isinstance(each, dict)] for kind in kinds
        }

    def attributes(self) -> object:
        """One dict a unit, or one column an attribute."""
        known = [question.attributes or {} for question in self.questions]
        if self.rng.random() < 0.5:
            return known
        return {name: [each.get(name) for each in known] for name in VALUES}

    def resolve_and_explain(self) -> None:
        assert self.engine.assign("gone", "ann") == assign(self.catalog, "gone", "ann")
        for question in self.questions[:10]:
            asked = question.unit, question.attributes
            assert self.engine.resolve("f0", *asked) == resolve(self.catalog, "f0", *asked)
        question, answers = self.questions[0], self.twin[0]
        for key, expected in zip(self.keys, answers, strict=True):
            asked_too = question.unit, question.attributes, question.stored[key]
            explanation = self.engine.explain(key, *asked_too)
            assert explanation.assignment == expected, self.said("explained", key, question)

    def said(self, way: str, experiment: str, question: Question) -> str:
        """What was asked, and how the twin came to its answer."""
        unit, attributes, stored = question.unit, question.attributes, question.stored[experiment]
        _, checks = explain(self.catalog, experiment, unit, attributes, stored)
        asked = f"{experiment} for {unit!r} with {attributes!r}, kept {stored!r}"
        return f"{self.where}, {way}: {asked}: the twin saw {checks[-1]}"


def _row(column: Column, row: int) -> tuple[str | None, Reason]:
    code = column.codes[row]
    return (column.treatments[code] if code >= 0 else None), REASONS[column.reasons[row]]
