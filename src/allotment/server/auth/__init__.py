"""Who calls: headers and tokens in, a caller with a scope and a space out."""
