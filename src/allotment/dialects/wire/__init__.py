"""The room that the HTTP dialects share: strict JSON, ids and their spellings, paging, times."""
