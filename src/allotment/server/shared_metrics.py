"""What all workers have counted, in one scrape: the multiprocess mode of prometheus-client.

Each worker counts in plain numbers, as one process does, and writes them once a second to files of
its place among the workers. A scrape of any worker adds the files up. To have the library count in
its files instead would cost each assignment more CPU time than all else that is counted
(decision 53). The directory is the supervisor's: fresh at its start, gone at its end.

A worker that is replaced has a successor in its place, which goes on from what the dead one wrote:
no count goes back, and no file is left over. What a dead worker said of its state is removed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final

from prometheus_client.core import Metric
from prometheus_client.mmap_dict import MmapedDict, mmap_key
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

# How many workers' gauges become one; what is not named here is at its worst where it is most.
_MOST: Final = "livemax"
_GAUGES: Final = {
    "allotment_age_seconds": _MOST,
    "allotment_experiments": "livemin",
    "allotment_ready": "livemin",
    "allotment_revision": "livemin",
    "allotment_streams": "livesum",
    "allotment_threads_dead": "livesum",
    "allotment_workers": "livesum",
    "allotment_writes_waiting": "livesum",
    "process_max_fds": "livemin",
    "process_open_fds": "livesum",
    "process_resident_memory_bytes": "livesum",
    "process_virtual_memory_bytes": "livesum",
}
_COUNTED: Final = ("counter", "histogram")

# The file's head, and what an entry has beside its key.
_HEAD_BYTES: Final = 8
_ENTRY_BYTES: Final = 32


class SharedMetrics:
    """The files of all workers, and those that this one writes, in its place among them."""

    def __init__(self, directory: Path, place: int) -> None:
        self._directory = directory
        self._place = place
        # What those have counted that were in this place before.
        self._before = {kind: self._values(kind) for kind in _COUNTED}

    def write(self, metrics: Iterable[Metric]) -> None:
        """Put the metrics of this worker in the place of those it wrote before."""
        values = {kind: dict(before) for kind, before in self._before.items()}
        values |= {f"gauge_{mode}": {} for mode in (_MOST, *_GAUGES.values())}
        for metric in metrics:
            kind = metric.type
            if kind not in _COUNTED:
                kind = f"gauge_{_GAUGES.get(metric.name, _MOST)}"
            of_kind = values[kind]
            for sample in metric.samples:
                labels = tuple(sample.labels.items())
                key = _key(metric.name, sample.name, labels, metric.documentation)
                of_kind[key] = of_kind.get(key, 0.0) + sample.value
        for kind, of_kind in values.items():
            self._replace(self._file(kind), of_kind)

    def read(self) -> Iterator[Metric]:
        """The metrics of all workers together."""
        files = sorted(map(str, self._directory.glob("*.db")))
        # Each worker's histograms are accumulated as they are written.
        yield from MultiProcessCollector.merge(files, accumulate=False)

    def _values(self, kind: str) -> dict[str, float]:
        file = self._file(kind)
        if not file.exists():
            return {}
        return {key: value for key, value, *_ in MmapedDict.read_all_values_from_file(file)}

    def _file(self, kind: str) -> Path:
        return self._directory / f"{kind}_{self._place}.db"

    def _replace(self, file: Path, values: Mapping[str, float]) -> None:
        """Write a file whole, and then put it in place, so that each scrape reads whole files.

        Its space is taken first: a disk without room would end the process in the mapped write.
        """
        fresh = file.with_suffix(".new")
        size = _HEAD_BYTES + sum(len(key.encode()) + _ENTRY_BYTES for key in values)
        fresh.write_bytes(bytes(size))
        written = MmapedDict(str(fresh))
        try:
            for key, value in values.items():
                written.write_value(key, value, 0.0)
        finally:
            written.close()
        fresh.replace(file)


def forget_state(directory: Path, place: int) -> None:
    """Remove what a worker that has died said of its state; what it counted stays."""
    mark_process_dead(place, str(directory))


@lru_cache(1 << 16)
def _key(family: str, name: str, labels: tuple[tuple[str, str], ...], meaning: str) -> str:
    names, values = [list(each) for each in zip(*labels, strict=True)] or ([], [])
    key: str = mmap_key(family, name, names, values, meaning)
    return key
