"""The only floor that knows C: thin shells over csrc, which owns every rule of assignment."""

# Refuses a wrong ALLOTMENT_CPU before anything is run.
from allotment.kernel import cpu as cpu
