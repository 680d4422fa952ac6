"""Sharing a job's work between processes and hosts.

Postgres knows what is to be done: a :class:`~jobs.models.WorkUnit` for each chunk of the stage a job is at. The queue
carries interchangeable tokens, "there is work for a processor": a worker that takes one looks up which unit is the
most urgent. So a lost or doubled token costs nothing, and a new priority counts at once.

=============== ======================================================================================================
advance.py      joins a stage whose units are done, plans the next, ends the job
units.py        leases: claim, renew, keep the output, give back, fail
execute.py      runs one unit under its lease
tokens.py       puts messages into the queue
reconcile.py    finds what was lost: dead workers, a forgotten queue, due jobs
housekeeping.py removes what nobody may want any more
presence.py     which workers there are; owners.py: whether one still lives
worker.py       the queue's worker: leases and heartbeats; its horse.py computes, in a process that keeps its models
=============== ======================================================================================================
"""
