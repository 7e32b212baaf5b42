"""The page on the API says what is true: its tour runs, and it has every code and every field."""

import re
import subprocess
from pathlib import Path

from allotment.dialects.confidence.codes import CODES
from allotment.dialects.confidence.instance_views import FILTERED
from serving import serving

PAGE = (Path(__file__).parents[3] / "docs" / "confidence.md").read_text()


def test_the_tour_runs(tmp_path: Path) -> None:
    tours = re.findall(r"^```sh\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE)
    with serving(tmp_path) as server:
        host = server.url.removeprefix("http://")
        script = "set -e\n" + "".join(tours).replace("localhost:8080", host)
        done = subprocess.run(
            ["bash", "-c", script], capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\n{server.log}"
    states = re.findall(r'"name":"workflows/abtest/instances/\w+","state":"(\w+)"', done.stdout)
    assert states == ["draft", "live", "live", "live", "live", "ended", "draft"]
    first, grown = re.findall(r'"greener-button":\{"treatment":"?(\w+)', done.stdout)
    assert grown in ("blue", "green")
    assert first in ("null", grown)


def test_the_page_has_every_code_and_every_field_of_a_filter() -> None:
    assert [name for name in CODES if f"`{name}`" not in PAGE] == []
    assert [field for field in FILTERED if f"`{field}`" not in PAGE] == []
