"""The models of this API's bodies, queries and answers."""
