"""Assignments over HTTP: one unit or many, flags, and why. They stand in front of the framework."""
