"""What can be set, by what, and what is refused."""

from pathlib import Path

import pytest

from allotment.errors import InvalidInput
from allotment.server.settings import Settings
from allotment.server.vendors import read_vendors


@pytest.fixture(autouse=True)
def nothing_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No setting in the environment, and a working directory of its own."""
    import os

    for name in list(os.environ):
        if name.startswith("ALLOTMENT_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def origins(settings: Settings) -> dict[str, str]:
    return {source.name: source.origin for source in settings.sources()}


def test_everything_has_a_default_and_a_meaning() -> None:
    for source in Settings().sources():
        assert source.origin == "default", source
        assert source.meaning, source


def test_a_flag_wins_over_the_environment_over_the_file_over_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "allotment.toml").write_text("# ours\nport = 1\nworkers = 1\npoll_ms = 99\n")
    monkeypatch.setenv("ALLOTMENT_PORT", "2")
    monkeypatch.setenv("ALLOTMENT_WORKERS", "2")
    settings = Settings(port=3, host=None)
    assert (settings.port, settings.workers, settings.poll_ms) == (3, 2, 99)
    where = origins(settings)
    assert where["port"] == "--port"
    assert where["workers"] == "ALLOTMENT_WORKERS"
    assert where["poll_ms"] == "allotment.toml:4"
    assert where["host"] == "default"


def test_a_file_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named = tmp_path / "other.toml"
    named.write_text('host = "::1"')
    monkeypatch.setenv("ALLOTMENT_CONFIG", str(named))
    assert Settings().host == "::1"
    assert origins(Settings())["host"] == f"{named}:1"


def test_a_file_that_is_named_must_be_there_and_be_toml(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALLOTMENT_CONFIG", "missing.toml")
    with pytest.raises(InvalidInput, match=r"missing\.toml.*No such file"):
        Settings()
    (tmp_path / "missing.toml").write_text("port: 80")
    with pytest.raises(InvalidInput, match="is not TOML"):
        Settings()


def test_an_unknown_name_is_refused_with_the_nearest_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InvalidInput, match=r"prot \(--prot\) is no setting: did you mean port\?"):
        Settings(prot=1)
    monkeypatch.setenv("ALLOTMENT_WROKERS", "2")
    with pytest.raises(InvalidInput, match=r"ALLOTMENT_WROKERS.*did you mean workers\?"):
        Settings()
    monkeypatch.delenv("ALLOTMENT_WROKERS")
    (tmp_path / "allotment.toml").write_text("\nhots = 'x'\n")
    with pytest.raises(InvalidInput, match=r"allotment\.toml:2.*did you mean host\?"):
        Settings()


@pytest.mark.parametrize("name", ["STORE", "TOKEN", "SERVER", "SPACE", "SANITIZE"])
def test_names_that_others_read_are_left_alone(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"ALLOTMENT_{name}", "anything")
    assert name.lower() not in origins(Settings())


def test_an_empty_variable_sets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOTMENT_PORT", "")
    assert Settings().port == 8080
    assert origins(Settings())["port"] == "default"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", "70000"),
        ("port", "http"),
        ("workers", "0"),
        ("log_level", "loud"),
        ("drain_seconds", "-1"),
        ("drain_seconds", "nan"),
    ],
)
def test_a_value_out_of_range_is_refused_by_name_and_place(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"ALLOTMENT_{name.upper()}", value)
    with pytest.raises(InvalidInput, match=rf"{name} \(ALLOTMENT_{name.upper()}\)") as refused:
        Settings()
    assert f"'{value}'" not in str(refused.value)


@pytest.mark.parametrize(
    "address",
    [
        "postgresql+psycopg://user:hunter2@host/name",
        "postgresql+psycopg://user:hun@ter2/hunter2@host/name",
        "postgresql+psycopg://user@host/name?password=hunter2",
        "postgresql+psycopg://user@host/name?sslmode=require&sslpassword=hunter2&x=1",
        "postgresql+psycopg://:hunter2@host/name",
    ],
)
def test_a_password_is_never_shown(address: str) -> None:
    settings = Settings(database_url=address)
    assert settings.database_url == address
    shown = [repr(settings), str(settings), repr(settings.sources()), settings.database_url.masked]
    assert all("hunter2" not in text and "ter2" not in text for text in shown)
    assert "host/name" in settings.database_url.masked


def test_an_address_without_a_password_is_shown_as_it_is() -> None:
    for address in ("allotment.db", "sqlite:////var/a@b.db", "postgresql+psycopg://user@host/x"):
        assert Settings(database_url=address).database_url.masked == address


def test_vendors_are_named_once_and_confidence_with_an_account() -> None:
    assert read_vendors("") == {}
    text = "launchdarkly, confidence:acme-1"
    assert Settings(vendor_profiles=text).vendor_profiles == text
    assert read_vendors(text) == {"launchdarkly": "", "confidence": "acme-1"}
    for wrong in (
        *("auth0", "confidence", "confidence:", "confidence:accounts/a", "launchdarkly:x", ","),
        *("launchdarkly,launchdarkly", "confidence:a,confidence:b"),
    ):
        with pytest.raises(InvalidInput, match="vendor_profiles"):
            Settings(vendor_profiles=wrong)
