"""The script that compares two OpenAPI documents names what changed, and nothing else."""

import copy
import json
import subprocess
import sys
from pathlib import Path

from openapi_changes import differences
from tenant import DOCUMENT

SCRIPT = Path(__file__).parents[1] / "openapi_changes.py"
EXPERIMENT = "/api/v2/experimentation/experiments/{id}"


def test_a_document_does_not_differ_from_itself_and_a_change_is_named() -> None:
    assert differences(DOCUMENT, DOCUMENT) == []
    other = copy.deepcopy(DOCUMENT)
    del other["paths"][EXPERIMENT]["delete"]
    other["components"]["schemas"]["Auth0RampTarget"]["required"] = []
    del other["paths"][EXPERIMENT]["get"]["responses"]["304"]
    found = differences(DOCUMENT, other)
    assert f"DELETE {EXPERIMENT}: write -> not there" in found
    assert f"GET {EXPERIMENT} 304: [] -> not there" in found
    ramp = f"POST {EXPERIMENT}/advance-ramp body.target_level"
    assert f"{ramp}: required -> optional" in found
    assert all(EXPERIMENT in line for line in found)


def test_the_script_compares_two_files(tmp_path: Path) -> None:
    file = tmp_path / "document.json"
    file.write_text(json.dumps(DOCUMENT))
    command = [sys.executable, str(SCRIPT), str(file), str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "no difference\n"
