"""Pages for people who decide. Without scripts they are plain forms; with them (``static/js/review``) nobody waits.

============ =====================================================================================================
review.py    the queue: the page, more cards of it, brands to choose from
decisions.py what is decided there, and what it would settle
history.py   what was decided, to undo and make again
cards.py     a group as it is shown
filters.py   what a reader wants to see of the queue
============ =====================================================================================================
"""
