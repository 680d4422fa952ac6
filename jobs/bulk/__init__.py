"""Many replays at once, and scenarios as regression cases."""
