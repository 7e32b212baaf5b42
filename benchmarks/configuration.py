"""Configuration: compiling, publishing one change, memory, and lists of ids."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from functools import cache

import pyarrow as pa

import allotment
from allotment import Engine
from allotment.change.apply import apply
from allotment.change.commands import Create, SetWeights
from allotment.compile import Snapshot, compile_catalog, recompile
from allotment.kernel.idset import IdSet
from allotment.model.catalog import EMPTY, Catalog
from allotment.model.experiment import Allocation, Experiment, Iteration, State, Treatment
from allotment.model.segment import IdList, Segment
from benchmarks.catalogs import catalog
from benchmarks.harness import Figure, absolute

EXPERIMENTS = 10_000


@cache
def large() -> Catalog:
    return catalog(EXPERIMENTS, segments=10)


def compile_ten_thousand() -> Figure:
    def run() -> float:
        begin = time.thread_time()
        compile_catalog(large())
        return (time.thread_time() - begin) * 1e3

    return absolute("compile 10,000 experiments to a snapshot", "ms", 600, run)


def publish_one_changed() -> Figure:
    """From the changed catalog to the first answer from it: recompile, publish."""
    engine = allotment.load(large())
    weights = [(("control", a), ("blue", 50 - a), ("green", 50)) for a in (20, 30)]
    changes = [apply(large(), [SetWeights("exp_77", "everyone", w, 100)]) for w in weights]
    snapshots: list[Snapshot] = [engine.snapshot]

    def run() -> float:
        begin = time.thread_time()
        for number in range(100):
            change = changes[number % 2]
            snapshots[0] = recompile(snapshots[0], change.catalog, change.touched, change.flags)
            engine.publish(snapshots[0])
        return (time.thread_time() - begin) * 1e6 / 100

    return absolute("publish one changed among 10,000", "µs", 30, run)


def apply_one_change() -> Figure:
    def run() -> float:
        begin = time.thread_time()
        for number in range(100):
            weights = (("control", 20 + number % 2), ("blue", 30 - number % 2), ("green", 50))
            apply(large(), [SetWeights("exp_77", "everyone", weights, 100)])
        return (time.thread_time() - begin) * 1e6 / 100

    return absolute("apply one change among 10,000", "µs", 100, run)


MEMORY = """
import ctypes, gc
from benchmarks.catalogs import catalog
from allotment.compile import compile_catalog

class Heap(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in (
        "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost".split())]

libc = ctypes.CDLL(None)
libc.mallinfo2.restype = Heap

def in_use():
    gc.collect()
    heap = libc.mallinfo2()
    return heap.uordblks + heap.hblkhd

nouns = catalog(20_000, segments=10)
compile_catalog(catalog(10))
before = in_use()
snapshot = compile_catalog(nouns)
print((in_use() - before) / 20_000)
"""


def memory_of_a_compiled_experiment() -> Figure:
    """Heap in use after compiling 20,000 experiments less before, an experiment; Python's included.

    PYTHONMALLOC=malloc puts every object on the C heap, whose own books are then read.
    """

    def run() -> float:
        child = [sys.executable, "-c", MEMORY]
        environment = {**os.environ, "PYTHONMALLOC": "malloc"}
        done = subprocess.run(child, capture_output=True, text=True, check=True, env=environment)
        return float(done.stdout)

    return absolute("memory a compiled experiment, over 20,000", "bytes", 512, run, rounds=3)


LISTED = 1_000_000


def listing(count: int) -> Engine:
    """An engine whose one experiment is for `count` listed customers."""
    ids = IdList.of(f"customer-{number}" for number in range(count))
    audience = Segment("listed", include=ids)
    treatments = (Treatment("on"),)
    everyone = (Allocation("everyone", (("on", 1),), 1),)
    iteration = Iteration(1, treatments, everyone, State.RUNNING, audience="listed")
    nouns = [Create(audience), Create(Experiment("listed", (iteration,)))]
    return allotment.load(apply(EMPTY, nouns).catalog)


def bytes_a_listed_id() -> Figure:
    ids = IdSet(f"customer-{number}" for number in range(LISTED))
    return absolute("a list of 1e6 ids", "bytes an id", 10, lambda: ids.nbytes / LISTED)


def miss_in_a_list() -> Figure:
    """What a batch of a million strangers costs more over a list of 1e6 ids than over one of 1."""
    strangers = pa.array([f"visitor-{number}" for number in range(LISTED)])
    engines = [listing(1), listing(LISTED)]

    def run() -> float:
        costs = []
        for engine in engines:
            begin = time.thread_time_ns()
            column = engine.assign_many("listed", strangers)
            costs.append(time.thread_time_ns() - begin)
            assert column.codes.max() == -1
        return (costs[1] - costs[0]) / LISTED

    return absolute("a miss in a list of 1e6 ids", "ns", 40, run, rounds=15)


ROWS = [
    compile_ten_thousand,
    publish_one_changed,
    apply_one_change,
    memory_of_a_compiled_experiment,
    bytes_a_listed_id,
    miss_in_a_list,
]
