"""Questions about people, as tokens."""
