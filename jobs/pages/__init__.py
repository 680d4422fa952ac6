"""Pages of jobs: the list, a job's report, and the pictures in it. Every one of them needs a login."""
