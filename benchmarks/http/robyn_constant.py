"""Robyn: a constant by a handler, and one that it keeps in Rust. Its argument is the port.

Its plain functions are quicker than its coroutines.
"""

from __future__ import annotations

import sys

from robyn import Headers, Response, Robyn
from robyn.argument_parser import Config

from benchmarks.http.constant import ANSWER

PORT = int(sys.argv.pop())
sys.argv += ["--processes", "1", "--workers", "1", "--log-level", "ERROR", "--disable-openapi"]
JSON = Headers({"content-type": "application/json"})

app = Robyn(__file__, Config())


@app.post("/v1/assign")
def assign() -> Response:
    return Response(200, JSON, ANSWER)


@app.get("/constant", const=True)
def constant() -> Response:
    return Response(200, JSON, ANSWER)


app.start("127.0.0.1", PORT)
