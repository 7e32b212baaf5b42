"""How a store of each release becomes one of this: a step a release, run by Alembic."""
