"""Decides what a segment asks of a unit's attributes; what it decides becomes bits."""
