"""One change: a request and its commands in, the noun as it is then out."""
