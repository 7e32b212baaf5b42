"""An engine that follows a server: what it costs to import, to start and to call."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
from functools import cache
from pathlib import Path

import allotment
from allotment import ConnectedEngine, Engine
from allotment.change.apply import apply
from allotment.change.commands import SetWeights
from allotment.client.address import Address
from allotment.client.last_good import LastGoodFile
from allotment.compile import recompile
from benchmarks.configuration import large
from benchmarks.harness import Figure, absolute

# Nothing listens there: what is measured is in this process.
NOWHERE = "http://127.0.0.1:9"

CALLS = 200_000


def cpu_of(program: str) -> float:
    """The CPU time of a Python that runs the program, in milliseconds."""
    child = f"{program}\nimport time; print(time.process_time() * 1e3)"
    done = subprocess.run([sys.executable, "-c", child], capture_output=True, text=True, check=True)
    return float(done.stdout)


def beside_numpy(name: str, bound: float, module: str) -> Figure:
    def run() -> float:
        return cpu_of(f"import {module}") / cpu_of("import numpy")

    return absolute(f"{name}, beside import numpy", "x numpy", bound, run, rounds=7)


def import_allotment() -> Figure:
    return beside_numpy("import allotment", 1.6, "allotment")


def import_connect() -> Figure:
    return beside_numpy("import what connect needs", 3.3, "allotment.client.following")


def start_from_last_good() -> Figure:
    """From the call of `connect` to an engine that answers, over 10,000 experiments."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "last-good"
        LastGoodFile(path, NOWHERE).save(large(), "0" * 32)

        def run() -> float:
            begin = time.thread_time()
            with allotment.connect(NOWHERE, last_good=path, timeout=0) as engine:
                seconds = time.thread_time() - begin
                assert engine.assign("exp_9999", "user-1").iteration == 1
            return seconds

        return absolute("start from last good, 10,000 experiments", "s", 1.0, run, rounds=5)


@cache
def connected() -> ConnectedEngine:
    engine = ConnectedEngine(Address(NOWHERE), None, 30.0)
    engine.publish(allotment.load(large()).snapshot)
    return engine


def single_call() -> Figure:
    """A connected engine and a loaded one, in turns."""
    engines: list[Engine] = [allotment.load(large()), connected()]
    units = [f"user-{number}" for number in range(1000)]

    def run() -> float:
        costs = []
        for engine in engines:
            assign = engine.assign
            begin = time.thread_time_ns()
            for _ in range(CALLS // 1000):
                for unit in units:
                    assign("exp_77", unit)
            costs.append(time.thread_time_ns() - begin)
        return costs[1] / costs[0]

    return absolute("one call of a connected engine", "x a loaded one", 1.03, run, rounds=15)


def stall_of_callers() -> Figure:
    """The call that 999 of 1,000 are quicker than, while a change a millisecond is published."""
    engine = allotment.load(large())
    weights = [(("control", a), ("blue", 50 - a), ("green", 50)) for a in (20, 30)]
    changes = [apply(large(), [SetWeights("exp_77", "everyone", w, 100)]) for w in weights]

    def run() -> float:
        done, published = threading.Event(), [0]

        def publish() -> None:
            while not done.wait(0.001):
                change = changes[published[0] % 2]
                engine.publish(
                    recompile(engine.snapshot, change.catalog, change.touched, change.flags)
                )
                published[0] += 1

        publisher = threading.Thread(target=publish)
        publisher.start()
        took, clock, assign = [], time.perf_counter_ns, engine.assign
        begun = clock()
        while clock() - begun < 1e9:
            before = clock()
            assign("exp_77", "user-1")
            took.append(clock() - before)
        done.set()
        publisher.join()
        assert published[0] > 50, "it was published often"
        return sorted(took)[len(took) * 999 // 1000] / 1e3

    return absolute("p99.9 of a call under a change a millisecond", "µs", 100, run, rounds=5)


ROWS = [import_allotment, import_connect, start_from_last_good, single_call, stall_of_callers]
