"""Many units in one request: JSON, NDJSON or an Arrow stream in, and any of the three out."""
