"""The whole system on one machine: `manage.py up` and its children. docs/operations.md says how it behaves.

============== =======================================================================================================
child.py       what a child is, and one that runs: start, readiness, stop, when to start it again
supervisor.py  the loop over all of them
plan.py        which children an installation has
logs.py        one stream of log lines, each saying whose it is
health.py      whether the site answers
statefile.py   what runs, told to other processes
============== =======================================================================================================
"""
