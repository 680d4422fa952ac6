"""Checkpoints: immutable nodes of a tree, each pointing at stage outputs that are stored once."""
