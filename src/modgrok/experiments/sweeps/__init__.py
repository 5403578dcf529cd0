"""Running many cells, and what they say together."""
