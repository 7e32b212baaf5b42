"""A test sees the same salts and ids in every run, in this process and in a server's."""

import secrets
import subprocess
import sys

import pytest

from draws.sitecustomize import drawing
from serving import environment


def drawn(label: str) -> str:
    script = "import secrets; print(secrets.token_hex(4), secrets.token_hex(8))"
    said = subprocess.run(
        [sys.executable, "-c", script],
        env=environment({"TEST_DRAWS": label}),
        capture_output=True,
        check=True,
        text=True,
    )
    return said.stdout


def test_a_process_draws_what_its_label_says() -> None:
    token_hex = drawing("a test")
    assert drawn("a test").split() == [token_hex(4), token_hex(8)]
    assert drawn("another test") != drawn("a test")


def test_a_process_without_a_label_rolls_dice() -> None:
    assert drawn("") != drawn("")


def test_a_test_draws_what_its_name_says(request: pytest.FixtureRequest) -> None:
    assert secrets.token_hex(8) == drawing(request.node.nodeid)(8)
