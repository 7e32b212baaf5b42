"""The start pages are followed word by word, as one script each, in an empty folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from docs.blocks import HOUSE
from serving import free_port

STEP = re.compile(r"^```(sh|python)\n(.*?)^```", re.DOTALL | re.MULTILINE)


def script_of(page: str, port: int) -> str:
    """The page's steps, with a free port in place of the usual one, and the server's end."""
    steps = ["set -e", "trap 'kill $(jobs -p) 2> /dev/null || true' EXIT"]
    for language, text in STEP.findall((HOUSE / "docs" / page).read_text()):
        steps.append(text if language == "sh" else f"python - <<'PYTHON'\n{text}PYTHON")
    return "\n".join(steps).replace("localhost:8080", f"localhost:{port}")


@pytest.mark.parametrize(
    ("page", "shown"),
    [
        (
            "start-backend.md",
            ["control ALLOCATED", '"treatment":"green"', "30% of the treatment draw moves"],
        ),
        ("start-data.md", ["as expected", "age at_least 21: it is 19", "4,639 would change"]),
        (
            "start-platform.md",
            ["copied to backup.db", "is now at revision 3", "ci (", "allotment_revision{"],
        ),
    ],
)
def test_a_start_page_is_true_word_by_word(tmp_path: Path, page: str, shown: list[str]) -> None:
    port = free_port()
    ours = {key: value for key, value in os.environ.items() if not key.startswith("ALLOTMENT_")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", script_of(page, port)],
        cwd=tmp_path,
        env={**ours, "PATH": path, "ALLOTMENT_PORT": str(port), "NO_PROXY": "*", "COLUMNS": "100"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    said = done.stdout + done.stderr
    assert [words for words in shown if words not in said] == [], said


def test_the_readme_leads_to_every_start_page() -> None:
    pages = sorted(page.name for page in HOUSE.glob("docs/start-*.md"))
    assert len(pages) == 3
    text = (HOUSE / "README.md").read_text()
    assert [page for page in pages if f"(docs/{page})" not in text] == []
