"""`make screenshots`: takes the pictures of docs/console.md again, of a real server in Chromium."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser

from server.console.browsing import HERE, browsing, window
from serving import Server, serving

CATALOG = Path(__file__).with_name("screenshots.yaml")
SHOTS = {
    "experiments": f"{HERE}/experiments",
    "experiment": f"{HERE}/experiments/checkout-button",
    "why": f"{HERE}/why?unit=user-4&experiment=checkout-button&a1=country&v1=SE",
    "layers": f"{HERE}/layers",
    "observed": f"{HERE}/experiments/checkout-button/observed",
}
# How much of a page is shown; the top of all others.
HEIGHTS = {"experiment": 900, "why": 1500, "observed": 900}


def take(browser: Browser, folder: Path) -> None:
    """Write one picture a page, and one of the first as a phone in the dark has it."""
    logged = {"ALLOTMENT_EXPOSURES": "ndjson", "ALLOTMENT_EXPOSURES_DIR": "exposures"}
    with (
        tempfile.TemporaryDirectory() as made,
        serving(Path(made), catalog=CATALOG, env=logged) as server,
    ):
        _use(server)
        for name, path in SHOTS.items():
            with window(browser, server) as opened:
                page = opened.open(path)
                page.set_viewport_size({"width": 1200, "height": HEIGHTS.get(name, 640)})
                page.screenshot(path=folder / f"console-{name}.png")
        with window(browser, server, width=375, color_scheme="dark") as opened:
            opened.open(SHOTS["experiment"]).screenshot(path=folder / "console-phone.png")


def _use(server: Server) -> None:
    """Change something, so that there is a history, and let units be seen."""
    with server.client() as client:
        ramp = {"is": "SetEnrolment", "experiment": "checkout-button", "share": "80%"}
        client.post(
            "/v1/commands", json={"commands": [ramp], "comment": "No complaints: go on"}
        ).raise_for_status()
        for number in range(1_000):
            asked = {
                "experiment": "checkout-button",
                "unit": f"user-{number}",
                "attributes": {"country": "SE" if number % 3 else "DE"},
            }
            client.post("/v1/assign", json=asked).raise_for_status()
    time.sleep(1)  # until all is written
    server.process.send_signal(signal.SIGHUP)  # which finishes the file
    until = time.monotonic() + 30
    while not [*(server.folder / "exposures").glob("*.ndjson")]:
        assert time.monotonic() < until, "no file of exposures was finished"
        time.sleep(0.1)


if __name__ == "__main__":
    os.environ["PYTEST_CURRENT_TEST"] = "screenshots/it (call)"
    with browsing() as opened_browser:
        take(opened_browser, Path(sys.argv[1]))
