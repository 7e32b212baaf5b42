"""Lines of a server's access log."""

from __future__ import annotations

import json
import time
from typing import Any

from serving import Server


def line_of(server: Server, request_id: str, begun: int = 0) -> dict[str, Any]:
    """The line of the one request of this id, among what the log has from `begun` on."""
    deadline = time.monotonic() + 15
    while True:
        whole, _, _ = server.log[begun:].rpartition("\n")
        lines = [json.loads(each) for each in whole.splitlines()]
        found = [each for each in lines if each.get("request_id") == request_id]
        if found:
            (line,) = found
            assert line["event"] == "request"
            return dict(line)
        assert time.monotonic() < deadline, f"no line of {request_id}"
        time.sleep(0.005)
