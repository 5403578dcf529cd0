"""The networks that remember."""
