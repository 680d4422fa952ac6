"""Batches: many videos of a dataset, several pipelines each, one job; and the files that come out of it."""
