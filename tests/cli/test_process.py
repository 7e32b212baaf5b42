"""The command line as a process: exit codes, streams, signals."""

import json
import os
import pty
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from allotment.model.assignment import REASONS

ALLOTMENT = [sys.executable, "-m", "allotment.cli.app"]


def test_done_is_0_refused_is_1_and_misused_is_64(run, catalog: Path, tmp_path: Path) -> None:
    assert run("validate", catalog).returncode == 0
    catalog.write_text("allotment: 1\nexperimants: {}\n")
    assert run("validate", catalog).returncode == 1
    assert run("validate").returncode == 64
    assert run("no-such-command").returncode == 64
    assert run("validate", catalog, "--no-such-option").returncode == 64
    assert run("plan", catalog, "--exit-code", "--outt", "p").returncode == 64  # 2 would say yes


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


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """So many units that it takes many seconds to assign them, longer than a test may have to wait
    for its turn of the processor."""
    source = tmp_path_factory.mktemp("many") / "units.csv"
    with source.open("w") as file:
        file.write("id,country\n")
        for _ in range(40):
            file.write("user-1,SE\n" * 1_000_000)
    yield source
    source.unlink()


@pytest.mark.parametrize("name", ["out.csv", "out.parquet"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_run_leaves_nothing_and_keeps_what_was_there(
    number: signal.Signals, name: str, catalog: Path, many: Path, tmp_path: Path
) -> None:
    out = tmp_path / name
    out.write_text("before")
    arguments = ["assign", str(many), str(out), "--catalog", str(catalog), "--unit-column", "id"]
    with subprocess.Popen([*ALLOTMENT, *arguments], stderr=subprocess.PIPE) as process:
        wait_for(lambda: list(tmp_path.glob("*.partial")))
        process.send_signal(number)
        _, told = process.communicate(timeout=20)
    assert process.returncode == 128 + number
    assert told == b"interrupted; nothing was written\n"
    assert list(tmp_path.glob("*.partial")) == []
    assert out.read_text() == "before"


def test_an_interrupt_while_the_command_line_loads_ends_it_quietly() -> None:
    code = """if True:
        import os, signal, sys
        from allotment.cli.app import main

        class Interrupting:
            def find_spec(self, name, *_):
                if name == "typer":
                    os.kill(os.getpid(), signal.SIGINT)

        sys.meta_path.insert(0, Interrupting())
        main()
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"")


FULL = [
    "assign {0}/units.parquet - --catalog {0}/catalog.yaml --unit-column id",
    "assign {0}/units.parquet - --catalog {0}/catalog.yaml --unit-column id --format parquet",
    "assign {0}/units.parquet {0}/out.csv --catalog {0}/catalog.yaml --unit-column id",
    "export --store {0}/store.db",
    "plan {0}/catalog.yaml",
    "history --store {0}/store.db",
    "validate {0}/catalog.yaml --json",
    "explain banner u --catalog {0}/catalog.yaml",
]


@pytest.mark.usefixtures("units")
@pytest.mark.parametrize("command", FULL)
def test_a_full_disk_is_one_line_and_a_failure(run, catalog: Path, command: str) -> None:
    run("apply", catalog, "--store", catalog.with_name("store.db"))
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*ALLOTMENT, *command.format(catalog.parent).split()],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert "cannot be written: No space left on device" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert "ignored" not in done.stderr


def test_a_catalog_that_may_not_be_read_is_one_line(run, tmp_path: Path) -> None:
    done = run("validate", "/proc/self/mem")
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("out", ["/dev/stdout", ">(cat)", "/dev/fd/1"])
def test_a_result_can_be_sent_through_a_name_of_an_open_file(catalog, units, out: str) -> None:
    arguments = ["assign", str(units), "OUT", "--catalog", str(catalog), "--unit-column", "id"]
    line = shlex.join([*ALLOTMENT, *arguments, "--format", "csv", "--no-summary"])
    done = subprocess.run(
        ["bash", "-c", f"{line.replace('OUT', out)} | cat"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "error" not in done.stderr
    assert done.stdout.splitlines()[8] == '"user-7","green","OVERRIDE"'


def on_a_terminal(arguments: list[str], typed: bytes = b"") -> tuple[int, bytes, bytes]:
    """Exit code, standard output, and what a terminal on standard error was sent.

    What is `typed` comes from the same terminal.
    """
    terminal, end = pty.openpty()
    with subprocess.Popen(
        [*ALLOTMENT, *arguments], stdin=end, stdout=subprocess.PIPE, stderr=end
    ) as process:
        os.close(end)
        os.write(terminal, typed)
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


def test_progress_of_many_files_is_of_all_of_them_and_of_a_pipe_how_much_was_read(
    catalog, tmp_path
) -> None:
    (tmp_path / "in").mkdir()
    for number in range(3):
        rows = pa.table({"id": ["a", "b"], "country": ["SE", "DE"]})
        pq.write_table(rows, tmp_path / "in" / f"{number}.parquet")
    common = [str(tmp_path / "out.csv"), "--catalog", str(catalog), "--unit-column", "id"]
    code, _, sent = on_a_terminal(["assign", str(tmp_path / "in"), *common])
    assert code == 0
    assert b"assigning 6 rows" in sent
    code, _, sent = on_a_terminal(["assign", "-", *common], b'{"id":"a"}\n\x04')
    assert code == 0
    assert b"11 bytes" in sent


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
