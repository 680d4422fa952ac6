"""Curating brands in the admin. All that is changed here is a decision (``brands/actions``), to be undone exactly.

============= =====================================================================================================
knownbrands.py the admin of brands, put together from the parts below
listing.py     the list: figures, pictures, search, filters
editing.py     one brand: name, spellings, reference pictures, what was decided
bulk.py        what is done to the ticked ones, and asked before: confirm, reject, merge, un-merge, delete, undo
duplicates.py  brands that may be one
trying.py      a reference picture, tried on frames
exchanging.py  import and export
telling.py     decisions made from here, told with a way back
records.py     decisions, rejected texts, sightings: to be looked at
============= =====================================================================================================
"""

from brands.admin import knownbrands, records

__all__ = ["knownbrands", "records"]
