"""The page on the API says what is true: its tour runs, and its codes are those that there are."""

import re
import subprocess
from pathlib import Path

from serving import serving

HOUSE = Path(__file__).parents[3]
PAGE = (HOUSE / "docs" / "auth0.md").read_text()
SOURCES = [*(HOUSE / "src/allotment/dialects/auth0").rglob("*.py")]


def test_the_tour_runs(tmp_path: Path) -> None:
    (tour,) = re.findall(r"^```sh\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE)
    with serving(tmp_path) as server:
        host = server.url.removeprefix("http://")
        script = "set -e\n" + tour.replace("localhost:8080", host)
        done = subprocess.run(
            ["bash", "-c", script], capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\n{server.log}"
    assert '"is_valid":true,"errors":[]' in done.stdout
    assert '"treatment":"' in done.stdout
    assert done.stdout.count('"status":"active"') == 3


def test_the_page_has_every_code() -> None:
    code = re.compile(
        r'"((?:experiment|feature_flag|segment|variation|parameter|default)_[a-z_]+)"'
    )
    text = "".join(source.read_text() for source in SOURCES)
    fields = {
        *("feature_flag_id", "feature_flag_name", "feature_flag_snapshot", "feature_flags"),
        *("segment_id", "segment_name", "segment_snapshot", "experiment_id", "default_config"),
        *("variation_id", "variation_name", "variation_snapshot"),
    }
    known = set(code.findall(text)) - fields
    assert len(known) > 15
    assert {each for each in known if f"`{each}`" not in PAGE} == set()
