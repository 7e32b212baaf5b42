"""What may change, and how: commands, the rules, minimal moves, differences. Pure."""
