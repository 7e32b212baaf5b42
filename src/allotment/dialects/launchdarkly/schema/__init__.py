"""Every field of the API: what requests say, and what answers show."""
