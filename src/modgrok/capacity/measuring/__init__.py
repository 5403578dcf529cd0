"""What runs have memorized: numbers, probes, pictures and the page."""
