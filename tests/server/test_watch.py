"""The thread that looks: whatever it meets, it looks again, and less often while that fails."""

import threading
import time
from itertools import pairwise

import pytest

from allotment.errors import StoreError
from allotment.server.watch import Watch
from server.nodes import until

pytestmark = pytest.mark.anyio


async def test_failures_make_the_pauses_grow_and_success_makes_them_short_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    looks: list[float] = []
    fails = threading.Event()
    fails.set()

    def look() -> None:
        looks.append(time.monotonic())
        if fails.is_set():
            raise StoreError("away")

    watch = Watch("test", look, 0.01)
    watch.start()
    await until(lambda: len(looks) > 5)
    fails.clear()
    pauses = [after - before for before, after in pairwise(looks)]
    assert pauses[4] > 4 * 0.01
    begun = len(looks)
    await until(lambda: len(looks) > begun + 20)
    watch.stop()
    stopped = len(looks)
    time.sleep(0.05)
    assert len(looks) == stopped
    assert [record.getMessage() for record in caplog.records] == ["allotment-test: away"]


async def test_a_fault_of_ours_does_not_end_it_and_is_logged_with_its_trace(
    caplog: pytest.LogCaptureFixture,
) -> None:
    looks: list[int] = []

    def look() -> None:
        looks.append(1)
        raise KeyError("oops")

    watch = Watch("test", look, 0.001)
    watch.start()
    await until(lambda: len(looks) > 3)
    watch.stop()
    (record,) = caplog.records
    assert record.exc_info
