"""Pit stops: videos in which objects are followed and time in zones is taken."""
