"""`/metrics`, and what else says how the process is."""

from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from allotment.server.sync.node import Node
from server.nodes import SPACE, calling, running
from serving import SHOP, serving

pytestmark = pytest.mark.anyio

FLAG = {"default": "off", "variations": {"off": False, "on": True}}


@pytest.fixture
def database(tmp_path: Path) -> str:
    """Any database will do."""
    return str(tmp_path / "allotment.db")


def samples(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def of(text: str, name: str, **labels: str) -> float:
    return samples(text)[name, frozenset(labels.items())]


def test_requests_are_counted_by_the_template_of_their_path(tmp_path: Path) -> None:
    with serving(tmp_path) as server, server.client() as client:
        for key in ("a", "b", "c"):
            client.put(f"/v1/catalog/flags/{key}", json=FLAG)
        client.get("/v1/catalog/flags/none")
        client.get("/nothing/here")
        client.request("PURGE", "/nothing/there")
        client.head("/v1/catalog/flags")
        client.get("/v1/assign/none/u?attributes=no")
        text = client.get("/metrics").text
    path = "/v1/catalog/flags/{key}"
    total = "allotment_requests_total"
    assert of(text, total, method="PUT", path=path, status="2xx") == 3
    assert of(text, total, method="GET", path=path, status="4xx") == 1
    assert of(text, total, method="GET", path="other", status="4xx") == 1
    assert of(text, total, method="other", path="other", status="4xx") == 1
    assert of(text, total, method="HEAD", path="/v1/catalog/flags", status="2xx") == 1
    refused = "/v1/assign/{experiment}/{unit}"
    assert of(text, total, method="GET", path=refused, status="4xx") == 1
    assert of(text, "allotment_request_seconds_count", method="PUT", path=path) == 3
    assert of(text, "allotment_request_seconds_bucket", method="PUT", path=path, le="+Inf") == 3
    assert of(text, "allotment_request_seconds_sum", method="PUT", path=path) > 0


# What each operation is asked with, how often, and the path that is counted.
OPERATIONS = {
    "assign": ("/v1/assign", b'{"unit":"u","experiment":"plain"}', 2),
    "assign_all": ("/v1/assign", b'{"unit":"u"}', 3),
    "resolve": ("/v1/resolve", b'{"unit":"u","flag":"button"}', 4),
    "resolve_all": ("/v1/resolve", b'{"unit":"u","flags":["button"]}', 5),
    "explain": ("/v1/explain", b'{"unit":"u","experiment":"plain"}', 6),
    "batch": ("/v1/assign/batch", b'{"units":["u","v"]}', 7),
}


def test_how_long_assignments_take_is_counted_by_operation(tmp_path: Path) -> None:
    with serving(tmp_path, catalog=SHOP) as server, server.client() as client:
        for path, body, times in OPERATIONS.values():
            for _ in range(times):
                sent = client.post(path, content=body, headers={"content-type": "application/json"})
                assert sent.status_code == 200, sent.text
        assert client.get("/v1/assign/plain/u").status_code == 200
        assert client.post("/v1/assign", json={"unit": []}).status_code == 400
        token = server.token("assign")
        asked = {"clientSecret": token, "flags": [], "evaluationContext": {"user": "u"}}
        assert client.post("/v1/flags:resolve", json=asked).status_code == 200
        text = client.get("/metrics").text
    name = "allotment_assignment_seconds"
    expected = {operation: times for operation, (_, _, times) in OPERATIONS.items()}
    expected["assign"] += 1
    expected["confidence_resolve"] = 1
    for operation, times in expected.items():
        assert of(text, f"{name}_count", operation=operation) == times
        assert of(text, f"{name}_bucket", operation=operation, le="+Inf") == times
        assert 0 < of(text, f"{name}_sum", operation=operation) < 60
    edges = [dict(labels)["le"] for each, labels in samples(text) if each == f"{name}_bucket"]
    assert {"5e-05", "0.0001", "0.001", "1.0"} <= set(edges)
    total = "allotment_requests_total"
    assert of(text, total, method="POST", path="/v1/assign", status="2xx") == 5
    assert of(text, total, method="POST", path="/v1/assign", status="4xx") == 1
    assert of(text, "allotment_request_seconds_count", method="POST", path="/v1/assign") == 1
    assert of(text, "allotment_assignments_total", path="/v1/assign") == 5


async def test_what_is_served_and_how_old_it_is_can_be_seen(
    client: httpx.AsyncClient, node: Node
) -> None:
    await client.put("/v1/catalog/flags/a", json=FLAG)
    node.counters.assigned["/v1/assign"] += 7
    node.counters.shed["busy"] += 2
    node.counters.exposures_dropped += 3
    text = (await client.get("/metrics")).text
    assert of(text, "allotment_revision", space=SPACE) == 1
    assert of(text, "allotment_experiments", space=SPACE) == 0
    assert 0 <= of(text, "allotment_age_seconds", space=SPACE) < 5
    assert of(text, "allotment_ready") == 1
    assert of(text, "allotment_writes_waiting") == 0
    assert of(text, "allotment_assignments_total", path="/v1/assign") == 7
    assert of(text, "allotment_shed_total", reason="busy") == 2
    assert of(text, "allotment_exposures_total", outcome="dropped") == 3
    assert any(name == "allotment_build_info" for name, _ in samples(text))
    assert any(name == "process_resident_memory_bytes" for name, _ in samples(text))


async def test_no_name_can_break_the_page(client: httpx.AsyncClient, node: Node) -> None:
    node.counters.ended("GET", 'a"b\n# HELP', 200, "", 0.1)
    text = (await client.get("/metrics")).text
    assert of(text, "allotment_requests_total", method="GET", path='a"b\n# HELP', status="2xx") == 1


async def test_readiness_says_what_the_process_is_up_to(node: Node, database: str) -> None:
    async with calling(node) as client:
        ready = await client.get("/readyz")
        assert (ready.status_code, ready.json()["status"]) == (200, "ready")
        node.draining = True
        draining = await client.get("/readyz")
        assert (draining.status_code, draining.json()["status"]) == (503, "draining")
        assert (await client.get("/healthz")).status_code == 200
        assert (await client.get("/version")).json().keys() == {"version", "python"}


async def test_a_node_without_a_catalog_is_not_ready_and_answers_503(tmp_path: Path) -> None:
    from allotment.errors import StoreError

    def away() -> None:
        raise StoreError("away")

    async with running(away) as node, calling(node) as client:
        assert (await client.get("/readyz")).json()["status"] == "starting"
        for path in ("/readyz", "/v1/catalog/flags", "/v1/snapshot", "/metrics", "/v1/spaces"):
            assert (await client.get(path)).status_code == 503, path
        assert (await client.get("/v1/catalog/flags")).headers["retry-after"]
        assert (await client.get("/healthz")).status_code == 200
        assert (await client.put("/v1/catalog/flags/a", json=FLAG)).status_code == 503
