"""Formats of files that people's tools read: pure functions from values to text, one format a file."""
