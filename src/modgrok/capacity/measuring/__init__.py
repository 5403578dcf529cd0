"""Runs measured: numbers, probes, pictures and the page."""
