"""The deal is fair: uniform, in the ratio asked for, and independent between salts.

Salts and ids are fixed, so nothing here is flaky: each p-value was what it is before it was looked
at, and a p-value near 1 is as bad as one near 0.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from allotment.compile import compile_catalog
from allotment.engine import Engine
from allotment.model.assignment import REASONS, Reason
from allotment.model.catalog import Catalog
from allotment.model.experiment import Allocation, Experiment, Iteration, State, Treatment
from allotment.model.keyed import Keyed
from allotment.model.limits import BUCKETS
from allotment.model.slots import Slot
from laws.shapes import SHAPES

IDS = 1_000_000
EVEN = (BUCKETS // 2, BUCKETS // 2)
TEN = (BUCKETS // 10,) * 10

Flags = npt.NDArray[np.bool_]


def _experiment(salt: str, sizes: tuple[int, ...], enrolment_ppm: int = BUCKETS) -> Experiment:
    """An experiment that deals everyone; treatment i owns `sizes[i]` buckets."""
    edges = np.cumsum((0, *sizes)).tolist()
    slots = tuple(
        Slot(start, stop, f"t{index}")
        for index, (start, stop) in enumerate(itertools.pairwise(edges))
    )
    treatments = tuple(Treatment(slot.owner) for slot in slots)
    iteration = Iteration(
        1,
        treatments,
        (Allocation("all", (), BUCKETS, slots=slots),),
        state=State.RUNNING,
        salt=salt,
        enrolment_ppm=enrolment_ppm,
    )
    key = f"{salt}-{sizes[0]}-{enrolment_ppm}"
    return Experiment(key, (iteration,), shared_salt=True)


def _engine(experiments: list[Experiment]) -> Engine:
    return Engine(compile_catalog(Catalog(experiments=Keyed((e.key, e) for e in experiments))))


SPLITS = {
    "half and half": EVEN,
    "nine to one": (900_000, 100_000),
    "one in a thousand": (999_000, 1_000),
    "ten": TEN,
    "two hundred and fifty": (BUCKETS // 250,) * 250,
}


def _goodness_of_fit(
    ids: list[str], salts: list[str], splits: Iterable[str] = tuple(SPLITS)
) -> list[float]:
    """The chi-square p-value of each split under each salt."""
    dealt = {
        (salt, split): _experiment(salt, sizes) for salt in salts for split, sizes in SPLITS.items()
    }
    table = _engine(list(dealt.values())).assign_table(ids)
    found = []
    for (_, split), experiment in dealt.items():
        sizes = SPLITS[split]
        counts = np.bincount(table[experiment.key].codes, minlength=len(sizes))
        expected = np.array(sizes) * (len(ids) / BUCKETS)
        found.append(float(stats.chisquare(counts, expected).pvalue))
    return found


@pytest.mark.parametrize("shape", SHAPES)
def test_a_million_ids_of_every_shape_are_dealt_in_the_ratio_asked_for(shape: str) -> None:
    found = _goodness_of_fit(SHAPES[shape](IDS), ["checkout#1", "checkout#2", "Ω"])
    assert min(found) > 1e-4, found
    assert max(found) < 1 - 1e-4, found


def test_p_values_over_many_salts_are_themselves_uniform() -> None:
    salts = [f"experiment-{index}#1" for index in range(12)]
    found = [p for ids in SHAPES.values() for p in _goodness_of_fit(ids(50_000), salts, ["ten"])]
    assert stats.kstest(found, "uniform").pvalue > 1e-3


def _dependence(one: Flags, two: Flags) -> float:
    """The z-score of how often both hold, against how often they would if independent."""
    n, first, second = len(one), int(one.sum()), int(two.sum())
    both = int((one & two).sum())
    variance = first * (n - first) * second * (n - second) / n**2 / (n - 1)
    return float((both - first * second / n) / variance**0.5)


def _spread(halves: list[Flags]) -> float:
    """The standard deviation of the z-scores of adjacent pairs; 1 where they are independent."""
    return float(np.std([_dependence(one, two) for one, two in itertools.pairwise(halves)]))


SALTS = [f"exp{number}" for number in range(1, 42)]  # 40 adjacent pairs
SEQUENTIAL = [f"user_{number}" for number in range(100_000)]


def test_adjacent_salts_deal_sequential_ids_independently() -> None:
    experiments = [_experiment(salt, EVEN) for salt in SALTS]
    table = _engine(experiments).assign_table(SEQUENTIAL)
    spread = _spread([table[each.key].codes == 0 for each in experiments])
    assert 0.7 < spread < 1.3


def test_the_same_test_rejects_a_hash_that_is_not_independent() -> None:
    assert _spread([_growthbook_v1(SEQUENTIAL, salt) < 500 for salt in SALTS]) > 10


def _growthbook_v1(units: list[str], salt: str) -> npt.NDArray[np.uint32]:
    """GrowthBook's first hash: FNV-1a, 32 bits, over unit then salt, modulo 1,000."""
    texts = np.char.add(np.array(units), salt).astype(np.bytes_)
    columns = texts.view(np.uint8).reshape(len(texts), -1).T
    state = np.full(len(texts), 0x811C9DC5, np.uint32)
    for column in columns:
        mixed = (state ^ column) * np.uint32(0x01000193)
        state = np.where(column > 0, mixed, state)
    remainder: npt.NDArray[np.uint32] = state % 1000
    return remainder


def test_the_negative_control_is_the_hash_it_says_it_is() -> None:
    assert _growthbook_v1(["", "a", "foob"], "").tolist() == [
        0x811C9DC5 % 1000,
        0xE40C292C % 1000,
        0x3F5076EF % 1000,
    ]
    assert _growthbook_v1(["foo"], "bar").tolist() == [0xBF9CF968 % 1000]


@pytest.mark.parametrize("salt", ["exp1", "exp2", "checkout#1", "checkout#2"])
def test_who_is_enrolled_says_nothing_about_who_gets_which_treatment(salt: str) -> None:
    """Ramps at every tenth under one salt tell each id's tenth; against it stand ten treatments."""
    ramps = [_experiment(salt, TEN, tenth * BUCKETS // 10) for tenth in range(1, 11)]
    table = _engine(ramps).assign_table(SHAPES["sequential"](IDS))
    left_out = REASONS.index(Reason.NOT_ENROLLED)
    tenths = sum((table[ramp.key].reasons == left_out).astype(np.int64) for ramp in ramps)
    joint = np.bincount(tenths * 10 + table[ramps[-1].key].codes, minlength=100).reshape(10, 10)
    assert joint.sum() == IDS
    p_value = float(stats.chi2_contingency(joint).pvalue)
    assert 1e-4 < p_value < 1 - 1e-4
