"""The provider over an engine that follows a real server: its events are what becomes of it."""

from pathlib import Path
from queue import Queue

from openfeature import api
from openfeature.event import EventDetails, ProviderEvent

import allotment
from allotment.openfeature import AllotmentProvider
from client.changing import change
from serving import SHOP, serving


def test_a_change_and_a_server_that_leaves_and_returns_are_events(tmp_path: Path) -> None:
    heard: Queue[tuple[str, EventDetails]] = Queue()
    with (
        serving(tmp_path, catalog=SHOP) as server,
        allotment.connect(server.url, poll_seconds=1) as engine,  # it notices by asking
    ):
        api.set_provider_and_wait(AllotmentProvider(engine))
        try:
            client = api.get_client()
            for event in ProviderEvent:
                name = event.value.removeprefix("PROVIDER_")

                def hear(details: EventDetails, name: str = name) -> None:
                    if details.metadata:  # the SDK's own word that it is ready has none
                        heard.put((name, details))

                client.add_handler(event, hear)
            revision = change(server)
            name, details = heard.get(timeout=20)
            assert (name, details.metadata) == ("CONFIGURATION_CHANGED", {"revision": revision})
            assert details.flags_changed == ["lonely"]
            server.kill()
            name, details = heard.get(timeout=20)
            assert name == "STALE"
            assert details.message
            assert client.get_provider_status().name == "STALE"
            server.restart()
            assert heard.get(timeout=40)[0] == "READY"
            assert client.get_provider_status().name == "READY"
        finally:
            api.clear_providers()
