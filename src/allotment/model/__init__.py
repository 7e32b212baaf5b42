"""The nouns: frozen values, exact integers, standard library only."""
