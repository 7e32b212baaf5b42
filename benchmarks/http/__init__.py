"""`make bench-http`: other servers beside ours, each asked for an assignment of one unit.

Some give a constant: what a request costs that decides nothing. Others do the same work as ours.
"""
