"""One run from a config, of either wing."""
