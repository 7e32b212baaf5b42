"""BlackSheep: a constant, and the body of the request is not read."""

from __future__ import annotations

from blacksheep import Application, Content, Response

from benchmarks.http.constant import ANSWER

app = Application()


@app.router.post("/v1/assign")
async def assign() -> Response:
    return Response(200, content=Content(b"application/json", ANSWER))
