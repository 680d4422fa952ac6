"""What waits for people: items of accepted results, grouped so that one decision settles many.

============= =====================================================================================================
items.py      the items and figures of a source's accepted result, replaced as a whole
grouping.py   which group an item belongs to: same text, alike spelling, alike picture
settling.py   which items wait, from what is known; sums of their groups
queue.py      reading the queue: groups in order, pictures, suggestions
recognised.py brands that people recognised in one video
============= =====================================================================================================
"""
