"""Formulas for capacity: other people's, and ours beside them."""
