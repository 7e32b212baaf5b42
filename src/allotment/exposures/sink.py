"""Where exposures go: one protocol, and what a sink of ours may do beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from allotment.errors import AllotmentError
from allotment.exposures.exposure import Exposure


class Refused(AllotmentError):
    """A sink will never take this batch: it is dropped and counted, not tried again."""


class Sink(Protocol):
    """A place that exposures are written to.

    It raises for a batch that it did not take. The same batch comes again then, later; `Refused`
    says that it shall not.
    """

    def write(self, batch: Sequence[Exposure], /) -> None:
        """Take these, in their order; one call at a time, from one thread."""


class OwnSink:
    """What a sink may do beside writing; all of it by default nothing.

    batch_size  how many exposures one call of `write` brings at the most
    at_once     whether each exposure is written as it comes, in the thread that it comes from
    """

    batch_size = 4_096
    at_once = False

    def write(self, batch: Sequence[Exposure], /) -> None:
        """Take these."""
        raise NotImplementedError

    def tick(self) -> None:
        """Do what is due by the clock."""

    def close(self) -> None:
        """Finish what was begun: nothing more comes."""

    def forked(self) -> None:
        """Leave what the parent process has open: this is its child."""


class CallableSink(OwnSink):
    """A function of yours, which is given each batch, and raises for one that it did not take."""

    def __init__(
        self, write: Callable[[Sequence[Exposure]], object], batch_size: int = 500
    ) -> None:
        self._write = write
        self.batch_size = batch_size

    def write(self, batch: Sequence[Exposure], /) -> None:
        """Give the function these."""
        self._write(batch)


def own(sink: Sink) -> OwnSink:
    """A sink that may do more than write, made of one that need not."""
    return sink if isinstance(sink, OwnSink) else CallableSink(sink.write)
