"""A published figure, ours beside theirs."""
