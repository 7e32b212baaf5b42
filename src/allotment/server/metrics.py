"""`/metrics`: what a process has counted, for Prometheus.

With several workers each of them counts for itself, and a scrape meets one of them: its pid then
stands in the label `worker` of every series, so that nothing is added up or compared wrongly.
"""

from __future__ import annotations

import os
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator
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
from allotment.server.auth.access import EVERYWHERE, reaches
from allotment.server.sync.node import Node

# From a snapshot in memory to a commit on a slow disk, in seconds.
_EDGES: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_NAMES: Final = (*map(str, _EDGES), "+Inf")

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

Sample = tuple[tuple[str, ...], float]


class Metrics(Collector):
    """Counts requests as they are answered, and reads everything else when it is asked."""

    def __init__(self, node: Node, workers: int = 1) -> None:
        self._node = node
        self._labels = ("worker",) if workers > 1 else ()
        self._values = (str(os.getpid()),) if workers > 1 else ()
        self._requests: Counter[tuple[str, str, str]] = Counter()
        self._seconds: dict[tuple[str, str], _Histogram] = {}
        self._reach = EVERYWHERE
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)
        if workers == 1:
            ProcessCollector(registry=self._registry)

    def observe(self, method: str, path: str, status: int, seconds: float) -> None:
        """A request was answered, or with status 0 broke off; `path` is the route's template."""
        method = method if method in _METHODS else "other"
        self._requests[method, path, f"{status // 100}xx" if status else "none"] += 1
        histogram = self._seconds.get((method, path))
        if histogram is None:
            histogram = self._seconds.setdefault((method, path), _Histogram())
        histogram.observe(seconds)

    def text(self, reach: str) -> bytes:
        """The metrics in the text format 0.0.4, of those spaces that the pattern reaches."""
        self._reach = reach
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """Every metric as it is now."""
        node, counters = self._node, self._node.counters
        yield self._gauge("build_info", "The version.", [((__version__,), 1)], "version")
        yield self._counter(
            "requests",
            "Requests answered.",
            [(key, float(count)) for key, count in sorted(self._requests.items())],
            *("method", "path", "status"),
        )
        yield self._latencies()
        yield self._counter(
            "assignments", "Assignment requests answered.", _counted(counters.assigned), "path"
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
        found = sorted(node.spaces.items())
        spaces = [(name, served) for name, served in found if reaches(self._reach, name)]
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

    def _latencies(self) -> Metric:
        family = HistogramMetricFamily(
            "allotment_request_seconds",
            "How long answering took, assignments apart.",
            labels=["method", "path", *self._labels],
        )
        for key, histogram in sorted(self._seconds.items()):
            family.add_metric([*key, *self._values], histogram.buckets(), histogram.total)
        return family

    def _counter(
        self, name: str, meaning: str, samples: Iterable[Sample], *labels: str
    ) -> CounterMetricFamily:
        names = [*labels, *self._labels]
        family = CounterMetricFamily(f"allotment_{name}", meaning, labels=names)
        for values, count in samples:
            family.add_metric([*values, *self._values], count)
        return family

    def _gauge(
        self, name: str, meaning: str, samples: Iterable[Sample], *labels: str
    ) -> GaugeMetricFamily:
        names = [*labels, *self._labels]
        family = GaugeMetricFamily(f"allotment_{name}", meaning, labels=names)
        for values, value in samples:
            family.add_metric([*values, *self._values], value)
        return family


class _Histogram:
    """How many observations fell between the edges, and their sum."""

    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        self.counts = [0] * len(_NAMES)
        self.total = 0.0

    def observe(self, seconds: float) -> None:
        self.counts[bisect_left(_EDGES, seconds)] += 1
        self.total += seconds

    def buckets(self) -> list[tuple[str, float]]:
        """The counts up to each edge."""
        cumulated, sofar = [], 0
        for name, count in zip(_NAMES, self.counts, strict=True):
            sofar += count
            cumulated.append((name, float(sofar)))
        return cumulated


def _counted(counts: Counter[str]) -> list[Sample]:
    return [((name,), float(count)) for name, count in sorted(counts.items())]
