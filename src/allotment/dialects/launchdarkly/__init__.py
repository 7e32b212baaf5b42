"""The LaunchDarkly dialect: its experiments API as commands, and the catalog as it shows it."""
