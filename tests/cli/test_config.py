"""`allotment config show`: which value a setting has, and where it comes from."""

import json
from inspect import signature
from pathlib import Path

import pytest

from allotment.cli.serve import settings_of
from allotment.server.settings import Settings


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"ALLOTMENT_{name.upper()}", raising=False)
    monkeypatch.setenv("ALLOTMENT_CONFIG", "")  # it is put back, whatever --config sets


def shown(invoke, *arguments: object) -> dict[str, tuple[object, str]]:
    told = json.loads(invoke("config", "show", "--json", *arguments).stdout)
    return {name: (one["value"], one["from"]) for name, one in told.items()}


def test_a_flag_wins_over_the_environment_that_over_the_file_that_over_the_default(
    invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shown(invoke)["port"] == (8080, "default")
    (tmp_path / "allotment.toml").write_text("# a comment\nport = 8081\nworkers = 2\n")
    assert shown(invoke)["port"] == (8081, "allotment.toml:2")
    monkeypatch.setenv("ALLOTMENT_PORT", "8082")
    assert shown(invoke)["port"] == (8082, "ALLOTMENT_PORT")
    told = shown(invoke, "--port", 8083)
    assert told["port"] == (8083, "--port")
    assert told["workers"] == (2, "allotment.toml:3")
    assert told["poll_ms"] == (50, "default")


def test_every_setting_is_shown(invoke) -> None:
    assert list(shown(invoke)) == list(Settings.model_fields)
    table = invoke("config", "show").stdout
    assert all(name in table for name in Settings.model_fields)


def test_a_file_of_settings_can_be_named(invoke, tmp_path: Path) -> None:
    (tmp_path / "other.toml").write_text('log_level = "debug"\n')
    assert shown(invoke, "--config", "other.toml")["log_level"] == ("debug", "other.toml:1")
    refused = invoke("config", "show", "--config", "none.toml", code=1)
    assert "none.toml" in refused.stderr


@pytest.mark.parametrize("how", [["--json"], []])
def test_a_password_is_never_shown(invoke, monkeypatch: pytest.MonkeyPatch, how) -> None:
    url = "postgresql+psycopg://ann:hunter2@db/x?sslpassword=hunter3"
    for arguments in ([], ["--database-url", url]):
        monkeypatch.setenv("ALLOTMENT_DATABASE_URL", url)
        told = invoke("config", "show", *how, *arguments)
        assert "hunter" not in told.output
        assert "ann:***@db/x" in told.stdout


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("ALLOTMENT_PORT", "http", "port (ALLOTMENT_PORT)"),
        ("ALLOTMENT_WORKRES", "2", "did you mean workers?"),
        ("ALLOTMENT_LOG_LEVEL", "loud", "log_level (ALLOTMENT_LOG_LEVEL)"),
    ],
)
def test_what_cannot_be_is_refused_by_name(
    invoke, monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    assert said in invoke("config", "show", code=1).stderr
    assert said in invoke("serve", code=1).stderr


def test_every_flag_is_a_setting() -> None:
    assert set(signature(settings_of).parameters) - {"config"} <= set(Settings.model_fields)
