"""Other platforms' own files to nouns of a catalog: pure, and nothing is approximated.

In comes what a platform's SDK reads, as JSON values; out go nouns and notes. What cannot be said
exactly is left out whole, and a note says what and why. `allotment import` shows both, and then
changes the catalog.
"""
