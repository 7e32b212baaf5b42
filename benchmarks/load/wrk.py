"""wrk: what it is told to send, and what it says came of it."""

from __future__ import annotations

import json
import shutil
import string
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.load.questions import Question
from benchmarks.load.servers import pinned

# Requests are taken in turn; the figures come out as one line of JSON.
SCRIPT = """
local requests = {}
local counter = 0
%s
function init()
  headers["Host"] = wrk.headers["Host"]
  for _, target in ipairs(targets) do
    for _, body in ipairs(bodies) do
      requests[#requests + 1] = wrk.format(method, target, headers, body)
    end
  end
end
function request()
  counter = counter %% #requests + 1
  return requests[counter]
end
function done(summary, latency)
  io.write(string.format(
    '{"requests": %%d, "microseconds": %%d, "p50": %%f, "p99": %%f, "errors": %%d}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.status
      + summary.errors.timeout))
end
"""


@dataclass(frozen=True)
class Run:
    """What one run of wrk measured: times in microseconds."""

    requests: int
    microseconds: int
    p50: float
    p99: float

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests * 1e6 / self.microseconds


def is_installed() -> bool:
    return shutil.which("wrk") is not None


def write_script(question: Question, token: str, path: Path, **more: str) -> None:
    """The script that asks a question; `more` are headers."""
    headers = {"Content-Type": question.media, "Authorization": f"Bearer {token}", **more}
    given = {
        "method": _text(question.method.encode()),
        "targets": _table(_text(target.encode()) for target in question.targets),
        "bodies": _table(map(_text, question.bodies)),
        "headers": _table(f'["{name}"] = {_text(text.encode())}' for name, text in headers.items()),
    }
    setting = "\n".join(f"local {name} = {value}" for name, value in given.items())
    path.write_text(SCRIPT % setting)


def run(url: str, script: Path, seconds: int, connections: int) -> Run:
    """One run; raises RuntimeError where a request went wrong."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(script), url]
    said = subprocess.run(pinned(1, command), capture_output=True, text=True, check=True)
    figures = json.loads(next(line for line in said.stdout.splitlines() if line.startswith("{")))
    if figures.pop("errors") or not figures["requests"]:
        raise RuntimeError(f"requests failed:\n{said.stdout}")
    return Run(**figures)


def _table(entries: Iterable[str]) -> str:
    return "{" + ", ".join(entries) + "}"


def _text(text: bytes) -> str:
    """A string of Lua: every byte that is not plain is written as a number."""
    safe = string.ascii_letters + string.digits + " -_.:,/?=&%{}"
    plain = (chr(byte) if chr(byte) in safe else f"\\{byte:03d}" for byte in text)
    return '"' + "".join(plain) + '"'
