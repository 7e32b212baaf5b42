"""The threads that help a batch outlive it, are no more than the processors, and survive a fork."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from kernel.batching import batched, plan_of

UNITS = range(140_000)  # five shares


def helpers() -> set[threading.Thread]:
    return {each for each in threading.enumerate() if each.name.startswith("allotment-batch")}


def test_the_threads_of_one_call_help_the_next() -> None:
    plan = plan_of()
    expected = batched(plan, UNITS)
    assert batched(plan, UNITS, threads=64) == expected
    begun = helpers()
    assert 1 <= len(begun) <= max(1, (os.cpu_count() or 1) - 1)
    for _ in range(3):
        assert batched(plan, UNITS, threads=64) == expected
    assert helpers() == begun


def test_calls_at_the_same_time_share_the_threads_and_none_waits_for_ever() -> None:
    plan = plan_of()
    expected = batched(plan, UNITS)
    with ThreadPoolExecutor(8) as callers:
        found = [callers.submit(batched, plan, UNITS, threads=4) for _ in range(16)]
        assert all(each.result(60) == expected for each in found)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_fork_has_threads_of_its_own() -> None:
    script = """
        import os
        import allotment

        engine = allotment.load('''
        allotment: 1
        experiments:
          it:
            state: running
            treatments: {a: {}, b: {}}
            allocations: [{weights: {a: 50, b: 50}}]
        ''')

        def assigned():
            return engine.assign_many("it", range(140_000), threads=2).codes.tobytes()

        before = assigned()
        child = os.fork()
        if child == 0:
            os._exit(0 if assigned() == before else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert assigned() == before
        print("done")
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout == "done\n", done.stderr
