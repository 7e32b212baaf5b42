"""The console: pages for people who own experiments, rendered by the server under `/console`."""
