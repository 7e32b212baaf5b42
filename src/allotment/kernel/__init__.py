"""The only floor that knows C: thin shells over csrc, which owns every rule of assignment."""
