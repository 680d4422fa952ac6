"""Jobs and what they made, to be looked at; what may be done with them goes through the services."""

from jobs.admin import answers, checkpoints, detectjobs, profiles, results, timelines

__all__ = ["answers", "checkpoints", "detectjobs", "profiles", "results", "timelines"]
