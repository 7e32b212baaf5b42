"""Every command says what it has to on a terminal or into a pipe that is not UTF-8."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from allotment.cli.root import app
from allotment.load import load

# Letters that cp1252 has, letters that it lacks, and a unit beyond the first plane.
TEXT = """\
allotment: 1
flags:
  button: {default: blue, variations: {blue: "é · ł", green: "日本"}, experiments: [banner]}
segments:
  nordics: {name: Nordiskt ł, rules: [{attribute: country, in: [SE, Øst, 日本]}]}
experiments:
  banner:
    name: Bannière 日本
    state: running
    treatments:
      control: {name: Été, control: true, sets: {button: blue}}
      green: {name: ł, sets: {button: green}}
    allocations:
      - {segment: nordics, weights: {control: 50, green: 50}}
      - {fallback: true, weights: {control: 90, green: 10}}
    overrides: {ünï-日本: green, "😀": control}
"""

COMMANDS = [
    "--help",
    "assign --help",
    "validate new.yaml",
    "validate new.yaml --json",
    "plan new.yaml",
    "plan new.yaml --json --units units.csv --unit-column id",
    "plan new.yaml --units units.csv --unit-column id",
    "apply other.yaml --comment 日本",
    "history",
    "history --json",
    "export",
    "explain banner ünï-日本",
    "explain banner user-1 --attribute country=日本",
    "explain banner ünï-日本 --json",
    "explain łost ünï",
    "explain łost ünï --json",
    "assign units.csv out.csv --unit-column id",
    "assign units.csv out.csv --unit-column id --json",
    "assign units.csv - --unit-column id",
    "assign units.csv out.csv --unit-column ł",
    "rollback --to 1",
    "space list",
    "space create default/ł",
    "token create --scope read --name 日本",
    "token list",
    "token list --json",
    "config show --database-url ł.db",
    "config show --database-url ł.db --json",
    "łost",
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ALLOTMENT_STORE", "store.db")
    (tmp_path / "old.yaml").write_text(TEXT, "utf-8")
    (tmp_path / "new.yaml").write_text(TEXT.replace("50, green: 50", "40, green: 60"), "utf-8")
    (tmp_path / "other.yaml").write_text(TEXT.replace("Été", "Ete ł"), "utf-8")
    (tmp_path / "units.csv").write_text("id,country\nünï-日本,SE\n😀,日本\nuser-1,Øst\n", "utf-8")
    done = CliRunner().invoke(app, ["apply", "old.yaml", "--comment", "först"])
    assert done.exit_code == 0
    return tmp_path


def outputs(charset: str) -> Iterator[tuple[str, int, bytes, bytes]]:
    for command in COMMANDS:
        done = CliRunner(charset=charset).invoke(app, command.split())
        assert done.exception is None or isinstance(done.exception, SystemExit), command
        yield command, done.exit_code, done.stdout_bytes, done.stderr_bytes


@pytest.mark.parametrize("charset", ["cp1252", "ascii"])
def test_every_command_says_the_same_where_the_output_is_not_utf_8(
    folder: Path, charset: str
) -> None:
    codes, printed = {}, {}
    for command, code, out, err in outputs(charset):
        codes[command], printed[command] = code, out
        if command not in ("export", "assign units.csv - --unit-column id"):
            out.decode(charset)
        assert b"Traceback" not in out + err
        err.decode(charset)
    assert {command for command, code in codes.items() if code} == {
        "explain łost ünï", "explain łost ünï --json", "assign units.csv out.csv --unit-column ł",
        "space create default/ł", "łost",
    }  # fmt: skip
    assert [c for c in COMMANDS if c.endswith("--json") and not json.loads(printed[c])] == []
    assert json.loads(printed["explain łost ünï --json"])["error"]["message"].count("łost") == 1
    (folder / "exported.yaml").write_bytes(printed["export"])
    assert load(folder / "exported.yaml").catalog.experiments["banner"].name == "Bannière 日本"
    rows = printed["assign units.csv - --unit-column id"].decode().splitlines()
    assert [json.loads(row)["id"] for row in rows] == ["ünï-日本", "😀", "user-1"]


def test_marks_and_bars_are_ascii_where_the_output_is_not_utf_8(folder: Path) -> None:
    found = {command: out for command, _, out, _ in outputs("cp1252")}
    table = found["explain banner user-1 --attribute country=日本"].decode("cp1252")
    assert table.count(" <") == 1
    summary = found["assign units.csv out.csv --unit-column id"].decode("cp1252")
    assert "##########" in summary
    assert "\\u" not in summary


@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONIOENCODING": "cp1252"},
        {"LC_ALL": "C"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ],
)
@pytest.mark.parametrize("terminal", [False, True])
def test_a_process_explains_where_its_output_is_not_utf_8(
    folder: Path, environment: dict[str, str], terminal: bool
) -> None:
    code = "import runpy, sys; sys.argv[0] = 'allotment'; runpy.run_module('allotment.cli.app'"
    arguments = ["explain", "banner", "user-1", "--attribute", "country=SE"]
    command = [sys.executable, "-c", code + ", run_name='__main__')", *arguments]
    settings = {**os.environ, **environment}
    if not terminal:
        done = subprocess.run(command, env=settings, capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (0, b"")
        assert b"user-1 in banner" in done.stdout
        return
    screen, end = pty.openpty()
    with subprocess.Popen(command, env=settings, stdout=end, stderr=end) as process:
        os.close(end)
        sent = b""
        try:
            while part := os.read(screen, 65536):
                sent += part
        except OSError:  # the other end is closed
            pass
    os.close(screen)
    assert process.returncode == 0
    assert b"user-1 in banner" in sent.replace(b"\x1b[1m", b"").replace(b"\x1b[0m", b"")
    assert b"Traceback" not in sent
