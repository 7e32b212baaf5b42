"""With several workers a scrape of any of them has the sum of all."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from allotment.server.shared_metrics import SharedMetrics, forget_state
from rawclient import connected, get
from server.test_metrics import of, samples
from serving import SHOP, Server, serving

ASSIGNED = "/v1/assign/{experiment}/{unit}"
PIDS = re.compile(r'"pid": (\d+)')


def scrape(server: Server, token: str | None = None) -> str:
    """What one worker says; each connection is taken by either of them."""
    with server.client(token=token) as client:
        answer = client.get("/metrics")
    assert answer.status_code == 200, answer.text
    return answer.text


def until(server: Server, holds: Callable[[str], bool], token: str | None = None) -> str:
    """The first scrape of which it holds: a worker writes its counts once a second."""
    deadline = time.monotonic() + 30
    while not holds(text := scrape(server, token)):
        assert time.monotonic() < deadline, text
        time.sleep(0.1)
    return text


def both_serve(text: str) -> bool:
    return of(text, "allotment_workers") == 2


def assigned(text: str) -> float:
    key = "allotment_assignments_total", frozenset({("path", ASSIGNED)})
    return samples(text).get(key, 0.0)


def spaces(text: str) -> set[str]:
    return {labels["space"] for _, found in samples(text) if "space" in (labels := dict(found))}


def ask(server: Server, times: int, *headers: str) -> None:
    """Ask as often on one connection, which one of the workers has."""
    with connected(server.url) as client:
        for number in range(times):
            assert client.ask(get(f"/v1/assign/plain/u{number}", *headers)).status == 200


def files_of(folder: Path) -> dict[str, str]:
    """An environment in which temporary files are in a folder of the test."""
    folder.mkdir()
    return {"TMPDIR": str(folder)}


def test_a_scrape_of_any_worker_has_the_sum_of_all_for_the_spaces_of_its_token(
    tmp_path: Path,
) -> None:
    temporary = tmp_path / "temporary"
    env = files_of(temporary)
    with serving(tmp_path, workers=2, catalog=SHOP, env=env, insecure_local=False) as server:
        admin = server.token("admin", space="*/*")
        until(server, both_serve, admin)
        for _ in range(12):  # the connections go to both workers
            ask(server, 3, f"Authorization: Bearer {admin}")
        text = until(server, lambda text: assigned(text) >= 36, admin)
        assert [assigned(scrape(server, admin)) for _ in range(4)] == [36] * 4
        name = "allotment_assignment_seconds"
        assert of(text, f"{name}_count", operation="assign") == 36
        assert of(text, f"{name}_bucket", operation="assign", le="+Inf") == 36
        assert 0 < of(text, f"{name}_sum", operation="assign") < 60
        total = "allotment_requests_total"
        assert of(text, total, method="GET", path=ASSIGNED, status="2xx") == 36
        assert of(text, "allotment_ready") == 1
        assert of(text, "allotment_revision", space="default/production") == 1
        assert of(text, "process_resident_memory_bytes") > 2 * (20 << 20)
        names = {name for _, labels in samples(text) for name in dict(labels)}
        assert not {"worker", "pid"} & names
        with server.client(token=admin) as client:
            client.post("/v1/spaces", json={"name": "web/test"}).raise_for_status()
        until(server, lambda text: spaces(text) == {"web/test", "default/production"}, admin)
        assert spaces(scrape(server, server.token("read", space="web/test"))) == {"web/test"}
        (directory,) = temporary.glob("allotment-metrics-*")
        assert {re.sub(r"\D", "", file.name) for file in directory.glob("*.db")} == {"0", "1"}
        assert directory.stat().st_mode & 0o077 == 0
        assert server.stop() == 0
        assert not list(temporary.iterdir())


def test_what_a_dead_worker_has_counted_stays_and_what_it_was_goes(tmp_path: Path) -> None:
    temporary = tmp_path / "temporary"
    with serving(tmp_path, workers=2, catalog=SHOP, env=files_of(temporary)) as server:
        until(server, both_serve)
        ask(server, 20)
        until(server, lambda text: assigned(text) == 20)
        for pid in PIDS.findall(server.log):  # one after the other: both have died
            os.kill(int(pid), signal.SIGKILL)
            before = server.log.count('"serving"')
            while server.log.count('"serving"') == before:
                time.sleep(0.05)
            until(server, both_serve)
        ask(server, 5)
        text = until(server, lambda text: assigned(text) >= 25)
        assert assigned(text) == 25
        assert of(text, "allotment_assignment_seconds_count", operation="assign") == 25
        server.process.kill()  # its workers end, and clean up in its place
        deadline = time.monotonic() + 20
        while list(temporary.iterdir()):
            assert time.monotonic() < deadline
            time.sleep(0.05)


def counter(value: float, **labels: str) -> Metric:
    family = CounterMetricFamily("c", "Counted.", labels=list(labels))
    family.add_metric(list(labels.values()), value)
    return family


def gauge(name: str, value: float, **labels: str) -> Metric:
    family = GaugeMetricFamily(name, "It is.", labels=list(labels))
    family.add_metric(list(labels.values()), value)
    return family


def read(folder: Path) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sample.labels.items())): sample.value
        for metric in SharedMetrics(folder, 9).read()
        for sample in metric.samples
    }


def test_counts_add_up_and_gauges_are_what_says_most(tmp_path: Path) -> None:
    one, other = SharedMetrics(tmp_path, 0), SharedMetrics(tmp_path, 1)
    one.write([counter(3, a="x"), gauge("allotment_ready", 1), gauge("allotment_age_seconds", 2)])
    other.write([counter(4, a="x"), gauge("allotment_ready", 0), gauge("allotment_age_seconds", 7)])
    assert read(tmp_path) == {
        ("c_total", (("a", "x"),)): 7,
        ("allotment_ready", ()): 0,
        ("allotment_age_seconds", ()): 7,
    }


def test_a_gauge_that_is_no_longer_there_is_no_longer_shown(tmp_path: Path) -> None:
    shared = SharedMetrics(tmp_path, 0)
    shared.write([counter(1), gauge("allotment_revision", 5, space="a/b")])
    shared.write([counter(1)])
    assert read(tmp_path) == {("c_total", ()): 1}


def test_a_successor_goes_on_from_what_its_place_has_counted(tmp_path: Path) -> None:
    SharedMetrics(tmp_path, 0).write([counter(3), gauge("allotment_workers", 1)])
    SharedMetrics(tmp_path, 1).write([counter(10), gauge("allotment_workers", 1)])
    forget_state(tmp_path, 0)
    assert read(tmp_path) == {("c_total", ()): 13, ("allotment_workers", ()): 1}
    successor = SharedMetrics(tmp_path, 0)
    for own in (1, 2):
        successor.write([counter(own), gauge("allotment_workers", 1)])
        assert read(tmp_path) == {("c_total", ()): 13 + own, ("allotment_workers", ()): 2}


def test_many_and_long_names_fit_into_a_file(tmp_path: Path) -> None:
    shared = SharedMetrics(tmp_path, 0)
    many = [gauge("allotment_revision", n, space=f"p/{'é' * n}") for n in range(400)]
    shared.write([counter(1, path='\n"x' * 2_000), *many])
    assert len(read(tmp_path)) == 401
    assert not list(tmp_path.glob("*.new"))
