"""examples/node runs as its first lines say, against what `make serve` serves."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from allotment.compile import compile_catalog
from allotment.engine import Engine
from allotment.store import Store
from clients import node_with
from serving import serving

HOUSE = Path(__file__).parents[2]
EXAMPLE = HOUSE / "examples" / "node"
SERVED = HOUSE / "examples" / "serve" / "catalog.yaml"


def test_the_shop_on_node_shows_what_the_server_decides(tmp_path: Path) -> None:
    packages = json.loads((EXAMPLE / "package.json").read_text())["dependencies"]
    folder = node_with(*(f"{name}@{version}" for name, version in packages.items()))
    shop = ["node", "--input-type=module", "--eval", (EXAMPLE / "shop.js").read_text()]
    with serving(tmp_path, catalog=SERVED) as server:
        done = subprocess.run(
            shop,
            cwd=folder,
            env={**os.environ, "ALLOTMENT_URL": server.url},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        with Store.open(server.database) as store:
            engine = Engine(compile_catalog(store.catalog()))
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    visitors = [
        ("user-1", "phone-1", "SE"), ("user-2", "laptop-2", "FR"), ("tester-1", "phone-3", "SE"),
    ]  # fmt: skip
    assert len(lines) == 2 * len(visitors) + 1
    for number, (user, device, country) in enumerate(visitors):
        units = {"user": user, "device": device}
        order = engine.resolve("search-order", units, {"country": country})
        title = engine.resolve("login-page", units).value["title"]
        shown, why = lines[2 * number : 2 * number + 2]
        assert shown == f'{user} in {country}: results by {order.value}, "{title}"'
        assert why.endswith(f"as Allotment says {order.reason}")
    assert lines[5].strip().startswith("TARGETING_MATCH")
    assert lines[6] == "free-delivery: false, FLAG_NOT_FOUND"
    # The first lines of the program name what `make` and npm know.
    head = (EXAMPLE / "shop.js").read_text()
    assert "make serve" in head
    assert "\nserve:" in (HOUSE / "Makefile").read_text()
    assert json.loads((EXAMPLE / "package.json").read_text())["scripts"]["start"] == "node shop.js"
