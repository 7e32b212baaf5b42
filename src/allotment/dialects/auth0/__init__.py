"""The Auth0 dialect: `/api/v2/experimentation` as commands, and the catalog as Auth0 shows it."""
