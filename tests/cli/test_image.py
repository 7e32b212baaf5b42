"""The Dockerfile, as far as it can be checked without Docker."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from allotment.cli.root import app
from allotment.server.settings import Settings
from serving import serving

HOUSE = Path(__file__).parents[2]


def instructions() -> list[list[str]]:
    """Each instruction with its arguments; lines that are continued are one."""
    text = re.sub(r"^#.*\n", "", (HOUSE / "Dockerfile").read_text(), flags=re.MULTILINE)
    lines = text.replace("\\\n", " ").splitlines()
    return [line.split(maxsplit=1) for line in lines if line.strip()]


def arguments(instruction: str) -> list[str]:
    return [rest for word, rest in instructions() if word == instruction]


def environment() -> dict[str, str]:
    return dict(pair.split("=", 1) for rest in arguments("ENV") for pair in rest.split())


def exec_form(text: str) -> list[str]:
    """The words of a command that no shell sees."""
    words = json.loads(text)
    assert all(isinstance(word, str) for word in words)
    return words


def test_what_is_copied_is_there_and_is_all_that_docker_is_given() -> None:
    own = [rest for rest in arguments("COPY") if not rest.startswith("--from=build ")]
    copied = [path for rest in own for path in rest.split()[:-1]]
    assert [path for path in copied if not (HOUSE / path).exists()] == []
    context = (HOUSE / ".dockerignore").read_text().splitlines()
    assert sorted(line[1:] for line in context if line.startswith("!")) == sorted(copied)


def test_the_build_needs_nothing_that_is_not_copied() -> None:
    """What setup.py and pyproject.toml name lies in what is copied."""
    project = tomllib.loads((HOUSE / "pyproject.toml").read_text())["project"]
    copied = " ".join(arguments("COPY")).split()
    assert project["readme"] in copied
    assert "csrc" in copied


def test_the_extra_that_is_installed_exists_and_has_the_server_and_postgresql() -> None:
    (extra,) = re.findall(r"\.whl\)\[(\w+)\]", (HOUSE / "Dockerfile").read_text())
    extras = tomllib.loads((HOUSE / "pyproject.toml").read_text())["project"]
    listed = " ".join(extras["optional-dependencies"][extra])
    assert "psycopg" in listed
    assert "allotment[server]" in listed


def test_both_stages_are_one_python() -> None:
    """A venv that is copied runs only under the Python that it was made by."""
    bases = {rest.split()[0] for rest in arguments("FROM")}
    assert len(bases) == 1


def test_it_runs_as_a_user_of_its_own_that_owns_the_volume() -> None:
    (user,), (volume,) = arguments("USER"), arguments("VOLUME")
    assert user not in ("root", "0")
    (folder,) = exec_form(volume)
    made = " ".join(arguments("RUN"))
    assert re.search(rf"useradd .*\b{user}\b", made)
    assert f"--owner {user} --group {user} {folder}" in made
    assert environment()["ALLOTMENT_DATABASE_URL"].startswith(f"{folder}/")
    assert arguments("WORKDIR")[-1] == folder


def test_its_settings_are_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in environment().items():
        if name.startswith("ALLOTMENT_"):
            monkeypatch.setenv(name, value)
    settings = Settings()
    assert (settings.host, settings.database_url) == ("0.0.0.0", "/data/allotment.db")
    assert arguments("EXPOSE") == [str(settings.port)]


def test_what_it_starts_is_a_command() -> None:
    (entry,), (command,) = arguments("ENTRYPOINT"), arguments("CMD")
    assert exec_form(entry) == ["allotment"]
    told = CliRunner().invoke(app, [*exec_form(command), "--help"])
    assert told.exit_code == 0, told.output


def test_its_health_check_passes_while_a_server_is_ready_and_fails_without_one(
    tmp_path: Path,
) -> None:
    (check,) = arguments("HEALTHCHECK")
    _, *words = exec_form(check.partition("CMD ")[2])
    with serving(tmp_path) as server:
        env = {"ALLOTMENT_PORT": server.url.rpartition(":")[2]}
        there = subprocess.run([sys.executable, *words], env=env, check=False)
    gone = subprocess.run([sys.executable, *words], env=env, check=False, capture_output=True)
    assert there.returncode == 0
    assert gone.returncode == 1
