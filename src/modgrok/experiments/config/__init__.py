"""A config: read, in its forms, and parsed with short errors."""
