"""Training, scores and bits, and a run read back."""
