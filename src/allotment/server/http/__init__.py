"""Reads requests strictly, makes answers and errors. Knows no route and no store."""
