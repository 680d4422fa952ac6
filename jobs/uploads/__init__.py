"""Videos on their way in: received piece by piece, kept on disk until they are whole, checked, and stored."""
