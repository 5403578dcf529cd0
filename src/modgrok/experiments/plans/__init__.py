"""What a sweep is: its file, its cells, and their files."""
