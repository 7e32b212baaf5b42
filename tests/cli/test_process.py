"""The command line as a process: exit codes, streams, signals."""

import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from allotment.model.reason import REASONS

ALLOTMENT = [sys.executable, "-m", "allotment.cli.app"]


def test_done_is_0_refused_is_1_and_misused_is_2(run, catalog: Path, tmp_path: Path) -> None:
    assert run("validate", catalog).returncode == 0
    catalog.write_text("allotment: 1\nexperimants: {}\n")
    assert run("validate", catalog).returncode == 1
    assert run("validate").returncode == 2
    assert run("no-such-command").returncode == 2
    assert run("validate", catalog, "--no-such-option").returncode == 2


def test_what_is_refused_is_one_line_on_standard_error_with_the_path(run, catalog: Path) -> None:
    catalog.write_text(catalog.read_text().replace("green: 50", "green: 60"))
    done = run("validate", catalog)
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    assert line.endswith("- at $.experiments.banner.allocations[0].weights")


def test_text_that_looks_like_markup_is_shown_as_it_is(run, catalog: Path) -> None:
    done = run("explain", "[red]x[/red]", "u", "--catalog", catalog)
    assert done.returncode == 1
    assert "[red]x[/red]" in done.stderr


def test_data_goes_to_standard_output_and_notes_to_standard_error(run, catalog, units) -> None:
    done = run("assign", units, "-", "--catalog", catalog, "--unit-column", "id")
    assert done.returncode == 0
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(rows) == 10_000
    assert rows[7] == {"id": "user-7", "banner": "green", "banner.reason": "OVERRIDE"}
    assert {row["banner.reason"] for row in rows} <= set(REASONS)
    assert "10,000 units" in done.stderr
    done = run("assign", units, "-", "--catalog", catalog, "--unit-column", "id", "--no-summary")
    assert done.stderr == ""


def test_a_pipe_that_closes_early_ends_the_command_quietly(catalog, units) -> None:
    arguments = ["assign", str(units), "-", "--catalog", str(catalog), "--unit-column", "id"]
    with subprocess.Popen(
        [*ALLOTMENT, *arguments, "--no-summary"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""


def wait_for(condition, seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not come to that"
        time.sleep(0.01)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_nothing_and_keeps_what_was_there(
    number: signal.Signals, catalog: Path, tmp_path: Path
) -> None:
    source, out = tmp_path / "units.csv", tmp_path / "out.csv"
    source.write_text("id,country\n" + "user-1,SE\n" * 3_000_000)
    out.write_text("before")
    arguments = ["assign", str(source), str(out), "--catalog", str(catalog), "--unit-column", "id"]
    with subprocess.Popen([*ALLOTMENT, *arguments], stderr=subprocess.PIPE) as process:
        wait_for(lambda: list(tmp_path.glob("*.partial")))
        process.send_signal(number)
        process.wait(20)
    assert process.returncode == 128 + number
    assert list(tmp_path.glob("*.partial")) == []
    assert out.read_text() == "before"


def on_a_terminal(arguments: list[str]) -> tuple[int, bytes, bytes]:
    """Exit code, standard output, and what a terminal on standard error was sent."""
    terminal, end = pty.openpty()
    with subprocess.Popen([*ALLOTMENT, *arguments], stdout=subprocess.PIPE, stderr=end) as process:
        os.close(end)
        sent = b""
        try:
            while part := os.read(terminal, 65536):
                sent += part
        except OSError:  # the other end is closed
            pass
        assert process.stdout is not None
        out = process.stdout.read()
    os.close(terminal)
    return process.returncode, out, sent


def test_progress_is_shown_on_a_terminal_and_nowhere_else(run, catalog, units, tmp_path) -> None:
    arguments = ["assign", str(units), str(tmp_path / "out.csv"), "--catalog", str(catalog)]
    arguments += ["--unit-column", "id"]
    code, out, sent = on_a_terminal(arguments)
    assert code == 0
    assert b"assigning 10,000 rows" in sent
    assert b"assigning" not in out
    done = run(*arguments)
    assert "assigning" not in done.stdout + done.stderr


def test_the_command_line_without_its_libraries_says_what_to_install(catalog: Path) -> None:
    code = "import sys; sys.modules['typer'] = None; from allotment.cli.app import main; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "error: the command line needs typer: pip install 'allotment[batch]'"
    ]


def test_files_without_pyarrow_say_what_to_install(catalog: Path, units: Path) -> None:
    code = "import sys; sys.modules['pyarrow'] = None; from allotment.cli.app import main; main()"
    arguments = ["assign", str(units), "-", "--catalog", str(catalog), "--unit-column", "id"]
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "pip install 'allotment[batch]'" in done.stderr
    assert "Traceback" not in done.stderr
