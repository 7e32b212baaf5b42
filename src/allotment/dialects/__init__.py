"""The ways in and out: each reads its own wire format to commands, and shows nouns in it."""
