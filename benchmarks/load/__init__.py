"""The server under load, beside an application that does the same work and nothing else."""
