"""One connection: bytes in, ASGI messages out, within deadlines and limits."""
