"""The terminal: one command a file; what they print is drawn elsewhere."""
