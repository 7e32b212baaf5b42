"""The twin: what an assignment means, in plain Python. Slow, obvious, the specification in code.

It reads the Catalog and never the Snapshot, and shares nothing with the kernel but `matching`.
"""

from allotment.reference.assign import assign, explain
from allotment.reference.resolve import resolve

__all__ = ["assign", "explain", "resolve"]
