"""Many units in one request: JSON, NDJSON or an Arrow stream in, and any of the three out.

`batches` receives the body (`body`), a reader makes blocks of rows of it, `columns` has the engine
and the store answer them, and a writer makes the answer, which is sent piece by piece.
"""
