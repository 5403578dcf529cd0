"""The second wing: how many bits a small language model remembers of profiles of invented people."""
