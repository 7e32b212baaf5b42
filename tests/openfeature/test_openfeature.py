"""The provider in process: OpenFeature's own scenarios, events, tracking."""

import asyncio
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from queue import Queue
from typing import Any, NamedTuple

import pytest
from openfeature import api
from openfeature.client import OpenFeatureClient
from openfeature.evaluation_context import EvaluationContext
from openfeature.event import EventDetails, ProviderEvent
from openfeature.exception import ProviderNotReadyError
from openfeature.track import TrackingEventDetails

import allotment
from allotment.compile import recompile
from allotment.exposures import Exposures
from allotment.openfeature import AllotmentProvider
from allotment.testing import ExposureRecorder, ForcedEngine

FEATURES = Path(__file__).parent / "features"
CATALOG = FEATURES / "flags.yaml"


class Stands(NamedTuple):
    revision: int = 1
    source: str = "server"
    error: str | None = None


class Followed(allotment.Engine):
    """An engine that follows a server which a test plays."""

    def __init__(self, *, stands: Stands) -> None:
        super().__init__(allotment.load(CATALOG).snapshot)
        self.stands = stands
        self.callbacks: list[Callable[[Stands], None]] = []

    def status(self) -> Stands:
        return self.stands

    def on_change(self, callback: Callable[[Stands], None]) -> Callable[[], None]:
        self.callbacks.append(callback)
        return lambda: self.callbacks.remove(callback)

    def become(self, stands: Stands) -> None:
        self.stands = stands
        for each in list(self.callbacks):
            each(stands)


@pytest.fixture(autouse=True)
def of_this_test() -> Iterator[None]:
    yield
    api.clear_providers()


def client_of(engine: allotment.Engine, **options: Any) -> OpenFeatureClient:
    api.set_provider_and_wait(AllotmentProvider(engine, **options))
    return api.get_client()


def heard_by(client: OpenFeatureClient) -> "Queue[tuple[str, EventDetails]]":
    """What the provider emits; the SDK's own word that it is ready has no revision."""
    heard: Queue[tuple[str, EventDetails]] = Queue()
    for event in ProviderEvent:
        name = event.value.removeprefix("PROVIDER_")

        def hear(details: EventDetails, name: str = name) -> None:
            if details.metadata:
                heard.put((name, details))

        client.add_handler(event, hear)
    return heard


def test_the_rules_of_openfeature_hold_scenario_by_scenario() -> None:
    command = [sys.executable, "-m", "behave", "--format", "progress", str(FEATURES)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    passed = re.search(r"(\d+) scenarios passed, 0 failed, 0 skipped", run.stdout)
    assert passed is not None, run.stdout
    assert int(passed[1]) >= 31


def test_a_program_that_awaits_gets_the_same_details() -> None:
    client = client_of(allotment.load(CATALOG))
    context = EvaluationContext("user-1")

    async def ask() -> list[Any]:
        return [
            await client.get_string_details_async("colour", "none", context),
            await client.get_boolean_details_async("banner", False),
            await client.get_float_details_async("whole", 0.1),
            await client.get_integer_details_async("rows", 0),
            await client.get_object_details_async("steps", []),
        ]

    assert asyncio.run(ask()) == [
        client.get_string_details("colour", "none", context),
        client.get_boolean_details("banner", False),
        client.get_float_details("whole", 0.1),
        client.get_integer_details("rows", 0),
        client.get_object_details("steps", []),
    ]


def test_what_a_test_forces_is_what_the_provider_answers() -> None:
    engine = ForcedEngine(allotment.load(CATALOG).catalog)
    client = client_of(engine)
    context = EvaluationContext("user-1")
    with engine.forced(checkout="control"):
        details = client.get_string_details("colour", "none", context)
    assert (details.value, details.flag_metadata["treatment"]) == ("grey", "control")
    assert client.get_string_value("colour", "none", context) == "green"


def test_the_answer_is_of_the_newest_catalog() -> None:
    engine = allotment.load(CATALOG)
    client = client_of(engine)
    assert client.get_integer_value("rows", 0) == 10
    engine.publish(allotment.load(CATALOG.read_text().replace("{ten: 10", "{ten: 11")).snapshot)
    assert client.get_integer_value("rows", 0) == 11


def test_an_engine_without_a_catalog_is_not_ready() -> None:
    engine = Followed(stands=Stands(0, "none", "connection refused"))
    with pytest.raises(ProviderNotReadyError, match="connection refused"):
        client_of(engine)
    client = api.get_client()
    assert client.get_provider_status().name == "ERROR"
    engine.become(Stands())
    assert client.get_provider_status().name == "READY"


def test_an_engine_that_loses_its_server_is_stale_until_it_has_it_again() -> None:
    engine = Followed(stands=Stands())
    client = client_of(engine)
    heard = heard_by(client)
    engine.become(Stands(error="connection refused"))
    name, details = heard.get(timeout=10)
    assert (name, details.message) == ("STALE", "connection refused")
    assert client.get_provider_status().name == "STALE"
    assert client.get_boolean_value("banner", False) is True
    engine.become(Stands())
    assert heard.get(timeout=10)[0] == "READY"


def test_an_engine_that_starts_from_its_last_good_file_is_stale_from_the_first_answer() -> None:
    engine = Followed(stands=Stands(source="last good", error="connection refused"))
    client = client_of(engine)
    assert client.get_boolean_value("banner", False) is True
    assert client.get_provider_status().name == "STALE"


def test_a_publish_names_the_flags_that_may_have_changed() -> None:
    engine = Followed(stands=Stands())
    heard = heard_by(client_of(engine))
    before = engine.snapshot
    other = CATALOG.read_text().replace("{control: 0, green: 100}", "{control: 1, green: 99}")
    checkout = allotment.load(other).catalog.experiments["checkout"]
    experiments = before.catalog.experiments.change({"checkout": checkout})
    catalog = replace(before.catalog, experiments=experiments)
    engine.publish(recompile(before, catalog, ["checkout"]))
    engine.become(Stands(2))
    name, details = heard.get(timeout=10)
    assert (name, details.metadata) == ("CONFIGURATION_CHANGED", {"revision": 2})
    assert details.flags_changed == ["colour"]


def test_a_provider_that_is_shut_down_listens_no_more() -> None:
    engine = Followed(stands=Stands())
    heard = heard_by(client_of(engine))
    api.shutdown()
    engine.become(Stands(error="away"))
    assert (engine.callbacks, heard.qsize()) == ([], 0)


def test_what_a_client_tracks_is_handed_on() -> None:
    tracked: list[Any] = []
    client = client_of(allotment.load(CATALOG), on_track=lambda *what: tracked.append(what))
    client.track("purchase", EvaluationContext("user-1"), TrackingEventDetails(9.5))
    ((name, context, details),) = tracked
    assert (name, context.targeting_key, details.value) == ("purchase", "user-1", 9.5)


def test_what_a_client_tracks_is_dropped_without_a_place_to_go() -> None:
    client_of(allotment.load(CATALOG)).track("purchase")


def test_a_treatment_that_a_value_comes_from_is_recorded() -> None:
    engine, recorder = allotment.load(CATALOG), ExposureRecorder()
    client = client_of(engine, exposures=Exposures(engine, recorder))
    client.get_string_value("colour", "none", EvaluationContext("user-1"))
    client.get_boolean_value("banner", False, EvaluationContext("user-1"))
    client.get_boolean_value("colour", False, EvaluationContext("user-2"))  # of another type
    recorder.assert_exposed("checkout", "user-1", "green")
    assert len(recorder.exposures) == 1
