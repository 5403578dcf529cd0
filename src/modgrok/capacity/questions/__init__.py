"""What the network is asked, as tokens."""
