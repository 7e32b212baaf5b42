"""`make bench-peers`: the same work by other platforms' SDKs, each in its documented fast path.

A script a peer, `PEER.py`, has `prepare(experiments, shares)`: it loads every experiment (by name,
the countries that it is for; a unit of another country gets none) with treatments of these shares
of 10,000, and gives functions that ask for units:

    single(country, units)   the treatment of `exp_0` for each unit, or None; attributes are built
                             in the call
    all(country, units)      for each unit all experiments, as the SDK gives them
    row(answer)              of such an answer the treatments, in the order of the experiments; it
                             is not timed
    batch(table)             the treatment of `exp_0` for every row of `table(units, countries)`,
                             which is not timed; by default it is the two lists

What a peer cannot be asked it does not give, and `rows.py` says why.
"""
