"""What was freed stays for the next request, and no more of it than is said."""

import subprocess
import sys

import pytest

PROGRAM = """
import resource
from allotment.kernel.memory import keep_memory
if {keeps}:
    assert keep_memory(8 << 20)
for _ in range(20):
    bytes(bytearray(1_500_000))
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(200):
    bytes(bytearray(1_500_000))
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(*, keeps: bool) -> int:
    """Pages that 200 requests of a kind have from the system."""
    program = [sys.executable, "-c", PROGRAM.format(keeps=keeps)]
    return int(subprocess.run(program, check=True, capture_output=True, text=True).stdout)


@pytest.mark.memory
def test_memory_that_is_kept_is_not_had_from_the_system_again() -> None:
    assert faults(keeps=True) < 2_000
