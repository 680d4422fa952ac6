"""REST interfaces, a module each. Paths, field names and status codes are what existing clients speak."""
