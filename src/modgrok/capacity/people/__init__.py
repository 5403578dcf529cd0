"""Who is remembered, and how many bits they are."""
