"""How soon a server serves and a file is checked, and what a call takes among changes."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from functools import cache
from pathlib import Path
from typing import Final

import allotment
from allotment.change.apply import apply
from allotment.change.commands import SetWeights
from allotment.compile import recompile
from allotment.dialects.catalogfile import parse, show
from benchmarks.configuration import large
from benchmarks.harness import UNITS, Figure, absolute

CALLS: Final = 1_000_000
CHANGE_SECONDS: Final = 0.001

# So soon the thread that publishes gets its turn; by default a loop of calls keeps it off for 5 ms.
SWITCH_SECONDS: Final = 0.0001

COMMAND: Final = (sys.executable, "-m", "allotment.cli.app")


@cache
def folder() -> Path:
    """A folder with the large catalog in a store, as JSON and as YAML; it goes with the process."""
    made = Path(tempfile.mkdtemp(prefix="allotment-bench-"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    text = show(large())
    (made / "catalog.yaml").write_text(text)
    (made / "catalog.json").write_text(json.dumps(parse(text)))
    store = ("--store", str(made / "store.db"))
    command = [*COMMAND, "apply", str(made / "catalog.json"), *store, "--yes"]
    subprocess.run(command, check=True, capture_output=True)
    return made


def cpu_seconds(process: int) -> float:
    """The processor time that a process has taken, in seconds."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def start_of_a_server() -> Figure:
    """From the start of the process until it serves."""

    def run() -> float:
        options = ("--database-url", str(folder() / "store.db"), "--port", "0", "--insecure-local")
        command = [*COMMAND, "serve", *options, "--log-format", "json"]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
            assert server.stderr is not None
            assert any('"serving"' in line for line in server.stderr), "it does not serve"
            taken = cpu_seconds(server.pid)
            server.terminate()
        return taken

    return absolute("allotment serve of 10,000 experiments until it serves", "s", 1.3, run)


def validating(kind: str, bound: float) -> Figure:
    def run() -> float:
        before = os.times()
        file = str(folder() / f"catalog.{kind}")
        subprocess.run([*COMMAND, "validate", file], check=True, capture_output=True)
        after = os.times()
        return after.children_user + after.children_system - sum(before[2:4])

    return absolute(f"allotment validate of 10,000 experiments, {kind}", "s", bound, run)


def validate_json() -> Figure:
    return validating("json", 1.5)


def validate_yaml() -> Figure:
    return validating("yaml", 2.2)


def slowest_thousandth_among_changes() -> Figure:
    """The 99.9th percentile of single calls while another thread publishes once a millisecond."""
    engine = allotment.load(large())
    weights = [(("control", a), ("blue", 50 - a), ("green", 50)) for a in (20, 30)]
    changes = [apply(large(), [SetWeights("exp_77", "everyone", w, 100)]) for w in weights]

    def run() -> float:
        ended, published = threading.Event(), 0

        def publish() -> None:
            nonlocal published
            snapshot = engine.snapshot
            while not ended.wait(CHANGE_SECONDS):
                change = changes[published % 2]
                snapshot = recompile(snapshot, change.catalog, change.touched, change.flags)
                engine.publish(snapshot)
                published += 1

        publishing = threading.Thread(target=publish)
        took, clock, attributes = [0] * CALLS, time.perf_counter_ns, {"country": "SE"}
        publishing.start()
        began = time.perf_counter()
        for number in range(CALLS):
            before = clock()
            engine.assign("exp_77", UNITS[number % 500], attributes)
            took[number] = clock() - before
        seconds = time.perf_counter() - began
        ended.set()
        publishing.join()
        assert published > seconds / CHANGE_SECONDS / 4, "it did not get to publish"
        return sorted(took)[CALLS * 999 // 1000] / 1e3

    switching = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_SECONDS)
    try:
        return absolute("a call among one change a millisecond, p99.9", "µs", 5, run)
    finally:
        sys.setswitchinterval(switching)


ROWS = [start_of_a_server, validate_json, validate_yaml, slowest_thousandth_among_changes]
