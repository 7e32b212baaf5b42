"""FastAPI: a route with models that asks the same engine as the reference does."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel

from benchmarks.load.raw import engine, plain


class Asked(BaseModel):
    unit: str
    attributes: dict[str, Any] | None = None
    experiment: str


class Given(BaseModel):
    treatment: str | None
    reason: str
    variations: dict[str, str]
    is_control: bool
    iteration: int | None
    revision: int
    to_keep: bool


class Answer(BaseModel):
    revision: int
    assignments: dict[str, Given]


app = FastAPI()


@app.post("/v1/assign")
async def assign(asked: Asked) -> Answer:
    given = engine.assign(asked.experiment, asked.unit, asked.attributes)
    assignments = {asked.experiment: Given(**plain(given))}
    return Answer(revision=engine.snapshot.revision, assignments=assignments)
