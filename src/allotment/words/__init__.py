"""Changes in words: commands as lines that a person reads, and what differs between two nouns."""
