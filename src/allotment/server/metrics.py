"""`/metrics`: what a process has counted, or all workers together, for Prometheus."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from operator import itemgetter
from typing import Final

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from allotment import __version__
from allotment.server.auth.access import reaches
from allotment.server.counters import Histogram
from allotment.server.shared_metrics import SharedMetrics
from allotment.server.sync.executor import Executor
from allotment.server.sync.node import Node

# How often a worker writes its metrics for the scrapes of all, in seconds.
WRITE_SECONDS: Final = 1.0

_STATUSES: Final = ("none", "1xx", "2xx", "3xx", "4xx", "5xx")

Sample = tuple[tuple[str, ...], float]


class Metrics:
    """Reads what is counted when it is asked; with `shared`, from the files of all workers."""

    def __init__(self, node: Node, shared: SharedMetrics | None = None) -> None:
        self._node = node
        self._shared = shared
        self._process = ProcessCollector(registry=None)
        self._writing = node.threads.loop("metrics", self._write, WRITE_SECONDS, self._write)
        self._scrapes = Executor("scrapes", 1, node.threads)

    def start(self) -> None:
        """Begin to write for the scrapes of all workers, where there are several."""
        if self._shared is not None:
            self._write()
            self._writing.start()

    def stop(self) -> None:
        """Write for the last time."""
        self._writing.stop()
        self._scrapes.close()

    async def text(self, reach: str) -> bytes:
        """The metrics in the text format 0.0.4, of those spaces that the pattern reaches."""
        shared = self._shared
        if shared is None:
            return _text(self.collect(), reach)
        return await self._scrapes.do(lambda: _text(shared.read(), reach))

    def _write(self) -> None:
        assert self._shared is not None
        self._shared.write(self.collect())

    def collect(self) -> Iterator[Metric]:
        """Every metric of this process as it is now."""
        node, counters = self._node, self._node.counters
        requests, assignments = counters.requests.copy(), dict[tuple[str, ...], Histogram]()
        for (method, path, operation), timed in list(counters.assignment_seconds.items()):
            requests[method, path, 2] += sum(timed.counts)
            assignments.setdefault((operation,), Histogram(timed.edges)).add(timed)
        yield from self._process.collect()
        yield self._gauge("build_info", "The version.", [((__version__,), 1)], "version")
        yield self._gauge("workers", "The processes that these metrics are of.", [((), 1)])
        yield self._counter(
            "requests",
            "Requests answered.",
            [
                ((method, path, _STATUSES[status]), float(count))
                for (method, path, status), count in sorted(requests.items())
            ],
            *("method", "path", "status"),
        )
        yield self._histogram(
            "request_seconds",
            "How long requests took that were worked on, answered assignments apart.",
            list(counters.request_seconds.items()),
            *("method", "path"),
        )
        yield self._counter(
            "assignments", "Assignment requests answered.", _counted(counters.assigned), "path"
        )
        yield self._histogram(
            "assignment_seconds",
            "How long assignment requests took that were answered.",
            assignments.items(),
            "operation",
        )
        yield self._counter(
            "shed",
            "Requests turned away for there was too much to do.",
            _counted(counters.shed),
            "reason",
        )
        yield self._counter(
            "kept",
            "Sticky assignments asked of the store: read, kept, replaced as the treatment is gone,"
            " or given without the store as it was away.",
            _counted(counters.sticky),
            "outcome",
        )
        exposures = [
            (("written",), float(counters.exposures_written)),
            (("dropped",), float(counters.exposures_dropped)),
        ]
        yield self._counter("exposures", "Exposures by what became of them.", exposures, "outcome")
        ended = counters.streams_ended.copy()
        yield self._gauge(
            "streams",
            "Event streams that are open.",
            [((), counters.streams_opened - ended.total())],
        )
        yield self._counter(
            "streams_ended",
            "Event streams that ended: by the client, as their reader was too slow, as the server"
            " stops, or as the token or the space no longer holds.",
            _counted(ended),
            "reason",
        )
        yield self._counter(
            "events_sent", "Events that streams were sent.", [((), counters.events_sent)]
        )
        spaces = sorted(node.spaces.items())
        yield self._gauge(
            "revision",
            "The revision that is served.",
            [((name,), served.revision) for name, served in spaces],
            "space",
        )
        yield self._gauge(
            "experiments",
            "The experiments that are served; a sudden drop is worth a look.",
            [((name,), len(served.stored.catalog.experiments)) for name, served in spaces],
            "space",
        )
        yield self._gauge(
            "age_seconds",
            "How long ago the store was last seen to have nothing newer.",
            [((name,), node.age_seconds) for name, _ in spaces],
            "space",
        )
        yield self._gauge("ready", "Whether there is something to serve.", [((), int(node.ready))])
        yield self._gauge("draining", "Whether it is stopping.", [((), int(node.draining))])
        yield self._gauge(
            "store_diverged",
            "Whether the store has another history than what is served; nothing is written then.",
            [((), int(node.diverged))],
        )
        yield self._gauge("writes_waiting", "Changes that wait.", [((), node.writes_waiting)])
        yield self._counter(
            "store_failures",
            "Times the store was away when it was looked at.",
            [((), counters.looks_failed)],
        )
        yield self._counter(
            "thread_failures",
            "Steps of background threads that failed, and items they left out; the thread goes on.",
            _counted(counters.failures),
            "thread",
        )
        yield self._gauge(
            "threads_dead",
            "Background threads that ended without being stopped: restart the process.",
            _counted(node.threads.dead),
            "thread",
        )
        yield self._counter(
            "last_good_failures",
            "Times the last good file could not be written.",
            [((), counters.saves_failed)],
        )

    def _histogram(
        self,
        name: str,
        meaning: str,
        timed: Iterable[tuple[tuple[str, ...], Histogram]],
        *labels: str,
    ) -> Metric:
        family = HistogramMetricFamily(f"allotment_{name}", meaning, labels=labels)
        for values, histogram in sorted(timed, key=itemgetter(0)):
            family.add_metric(values, histogram.buckets(), histogram.total)
        return family

    def _counter(
        self, name: str, meaning: str, samples: Iterable[Sample], *labels: str
    ) -> CounterMetricFamily:
        family = CounterMetricFamily(f"allotment_{name}", meaning, labels=labels)
        for values, count in samples:
            family.add_metric(values, count)
        return family

    def _gauge(
        self, name: str, meaning: str, samples: Iterable[Sample], *labels: str
    ) -> GaugeMetricFamily:
        family = GaugeMetricFamily(f"allotment_{name}", meaning, labels=labels)
        for values, value in samples:
            family.add_metric(values, value)
        return family


def _text(metrics: Iterable[Metric], reach: str) -> bytes:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Reached(metrics, reach))
    return generate_latest(registry)


class _Reached(Collector):
    """Metrics without the samples of spaces that a token does not reach."""

    def __init__(self, metrics: Iterable[Metric], reach: str) -> None:
        self._metrics = metrics
        self._reach = reach

    def collect(self) -> Iterator[Metric]:
        """The metrics, once."""
        for metric in self._metrics:
            metric.samples = [
                each
                for each in metric.samples
                if "space" not in each.labels or reaches(self._reach, each.labels["space"])
            ]
            yield metric


def _counted(counts: Mapping[str, int]) -> list[Sample]:
    return [((name,), float(count)) for name, count in sorted(counts.items())]
