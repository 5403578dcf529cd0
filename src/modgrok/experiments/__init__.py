"""Sweeps: many runs, where they run, one table, and honest statistics."""
