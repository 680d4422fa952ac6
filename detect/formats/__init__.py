"""File formats that other tools read: values in, text out, one format a file."""
