"""Files that a finished run leaves for people's tools: one writer, one small file."""
