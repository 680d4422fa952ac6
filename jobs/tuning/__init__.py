"""Options searched on videos of known truth (``manage.py tune``)."""
