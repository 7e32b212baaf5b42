"""Sticky assignments: a unit gets its first treatment again, for as long as its iteration lives.

The store has them; this is where a server asks it, off the event loop, and answers accordingly.
The command line uses `rows` and `keep`, which need nothing of a server.
"""
