"""The server's exposures: where its settings say, by one of its background threads."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, Self

from allotment.exposures import FileSink, Sink, WebhookSink
from allotment.exposures.recording import Recording
from allotment.exposures.sink import OwnSink
from allotment.server.settings import Settings
from allotment.server.sync.threads import Threads

# The thread looks by the clock: waking it for each answer would cost the answer more than logging.
_LOOK_SECONDS: Final = 0.1


class ExposureLog:
    """Logs treatments that were handed out: each once, as long as it is remembered as written.

    `sink` None is off: then nothing is logged, and `on` is False.
    """

    def __init__(
        self,
        sink: Sink | None,
        threads: Threads,
        *,
        queue: int = 100_000,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.on = sink is not None
        self._sink = sink
        self._deadline = 0.0
        self._loop = threads.loop("exposures", self._step, _LOOK_SECONDS, self._end)
        if isinstance(sink, FileSink):
            sink.failed = self._loop.failed
        self._recording = Recording(
            sink or OwnSink(), threads.counters, queue=queue, now=now,
            wake=self._loop.wake, failed=self._loop.failed,
        )  # fmt: skip
        self.log = self._recording.log

    @classmethod
    def of(cls, settings: Settings, threads: Threads) -> Self:
        """As the settings say."""
        return cls(_sink_of(settings), threads, queue=settings.exposures_queue)

    def start(self) -> None:
        """Begin to write; first what processes that crashed left behind is finished."""
        if self.on:
            self._loop.start()

    def close(self, patience: float = 5.0) -> None:
        """Write what waits and finish the file, within so many seconds."""
        self._deadline = time.monotonic() + patience * 0.8
        self._loop.stop(patience)
        self._recording.drop_rest()

    def renew(self) -> None:
        """Finish the file soon, and go on in a new one."""
        if isinstance(self._sink, FileSink):
            self._sink.renew()
        self._loop.wake()

    def _step(self) -> None:
        self._recording.step()

    def _end(self) -> None:
        self._recording.end(self._deadline)


def _sink_of(settings: Settings) -> Sink | None:
    form = settings.exposures
    if form == "off":
        return None
    if form == "webhook":
        return WebhookSink(settings.exposures_url or "", secret=settings.exposures_secret)
    return FileSink(
        settings.exposures_dir,
        form,
        rotate_bytes=settings.exposures_rotate_mb << 20,
        rotate_seconds=settings.exposures_rotate_seconds,
    )
