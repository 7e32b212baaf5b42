"""The native API: the catalog as Allotment itself spells it, under `/v1`."""
