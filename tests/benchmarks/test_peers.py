"""The comparison with other platforms' SDKs: its check, its table, its picture, and its scripts."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import mmh3
import pytest

from benchmarks.page import figure, with_section
from benchmarks.peers.__main__ import panels
from benchmarks.peers.check import faults
from benchmarks.peers.rows import COUNTRIES, EXPERIMENTS, KINDS, PEERS, SHARES, Peer
from benchmarks.peers.table import Measured, table
from benchmarks.picture import picture

SCRIPTS = Path(__file__).parents[2] / "benchmarks" / "peers"
ASKED = {"e": ["SE"]}
FAST = Measured(Peer("Allotment", "a", ("x==1.2",)), {"single": [1.0, 1.0, 1.3]}, 2_000_000, 90)
SLOW = Measured(
    Peer("Slow & sons", "b", told={"all": "no call"}), {"single": [250.0], "all": [9e4]}
)
BROKEN = Measured(Peer("Broken", "c"), fault="it failed: why")


def counted(**treatments: int) -> list[tuple[str, str, str, int]]:
    return [("e", "SE", name.strip("_"), count) for name, count in treatments.items()]


def test_shares_as_asked_are_no_fault() -> None:
    others = [("e", "NO", "", 3_000)]
    assert (
        list(faults(counted(control=5_050, blue=2_470, green=2_480) + others, ASKED, SHARES)) == []
    )


@pytest.mark.parametrize(
    "counts",
    [
        counted(control=10_000),
        counted(control=5_400, blue=2_300, green=2_300),
        counted(control=4_900, blue=2_450, green=2_450, _=200),
        counted(control=5_000, blue=2_500, red=2_500),
        [("e", "NO", "control", 1), ("e", "NO", "", 9_999)],
        [],
    ],
)
def test_who_deals_less_or_otherwise_is_found(counts: list[tuple[str, str, str, int]]) -> None:
    assert list(faults(counts, ASKED, SHARES))


def test_the_table_says_what_is_missing_and_why() -> None:
    lines = table([FAST, SLOW, BROKEN]).splitlines()
    assert lines[2] == "| Allotment 1.2 | 1.1 | - | - | 2.0 | [a.py](peers/a.py) |"
    assert lines[3] == "| Slow & sons | 250 | 90,000 <sup>1</sup> | - | - | [b.py](peers/b.py) |"
    assert lines[4].startswith("| Broken | - <sup>2</sup> | - <sup>2</sup> | - <sup>2</sup> |")
    assert lines[6:] == ["1. no call", "2. it failed: why"]


@pytest.mark.parametrize(
    ("ratio", "shown"), [(0.0973, "0.0973"), (1.146, "1.15"), (99.96, "100"), (20_352.4, "20,352")]
)
def test_a_figure_has_three_digits(ratio: float, shown: str) -> None:
    assert figure(ratio) == shown


def test_a_section_takes_the_place_of_the_one_before_and_of_no_other() -> None:
    page = with_section("# Results\n\nThe rest.\n", "One (a+b)", "old")
    page = with_section(page, "Two", "2")
    page = with_section(page, "One (a+b)", "new")
    assert page == "# Results\n\nThe rest.\n\n## One (a+b)\n\nnew\n\n## Two\n\n2\n"
    assert with_section(page, "Two", "2") == page


def test_the_picture_has_a_bar_for_each_figure() -> None:
    drawn = ElementTree.fromstring(picture(panels([SLOW, FAST, BROKEN]), "less < better"))
    texts = [each.text for each in drawn.iter("{http://www.w3.org/2000/svg}text")]
    bars = list(drawn.iter("{http://www.w3.org/2000/svg}rect"))
    assert len(bars) == 3
    assert texts.index("Allotment") < texts.index("Slow & sons"), "the shortest comes first"
    widths = [float(bar.attrib["width"]) for bar in bars]
    assert widths[0] < widths[1]
    assert {"less < better", "one call", "all of 100 experiments", "90,000"} <= set(texts)


def test_each_script_is_a_peers_and_says_how_it_calls_it() -> None:
    written = {file.stem for file in SCRIPTS.glob("*.py") if "def prepare(" in file.read_text()}
    assert {peer.script for peer in PEERS} == written
    assert all((SCRIPTS / f"{name}.py").read_text().startswith('"""') for name in written)
    assert all(set(peer.told) <= set(KINDS) for peer in PEERS)


@pytest.mark.parametrize("script", ["allotment_list", "allotment_arrow", "mmh3_loop"])
def test_a_script_is_run_and_its_units_counted(script: str) -> None:
    """In a process of its own, with few units; those of others run in `make bench-peers`."""
    many = [[country, [f"{country}-{n}" for n in range(300)]] for country in COUNTRIES]
    asked = {
        "mmh3": mmh3.__spec__.origin,
        "units": ["a", "b"],
        "visitors": many[:2],
        "many": many,
        "experiments": dict(EXPERIMENTS),
        "shares": dict(SHARES),
        "peer": script,
        "script": str(SCRIPTS / f"{script}.py"),
    }
    done = subprocess.run(
        [sys.executable, "-P", SCRIPTS / "runner.py"],
        input=json.dumps(asked), capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    told = json.loads(done.stdout)
    assert told["rows"]
    for kind, row in told["rows"].items():
        assert list(faults(map(tuple, row["counts"]), EXPERIMENTS, SHARES)) == []
        assert all(ratio > 0 for ratio in row["ratios"])
        units = Counter({"exp_0": sum(row[3] for row in row["counts"] if row[0] == "exp_0")})
        assert units["exp_0"] == 14 * (100 if kind == "all" else 300)
