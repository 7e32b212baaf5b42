"""Every speed claim, measured as a ratio to one reference that runs interleaved with it."""
