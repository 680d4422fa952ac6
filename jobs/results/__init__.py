"""Which result of a video counts, and bringing it up to date with what people decided since."""
