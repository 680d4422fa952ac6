"""What people decide about brands: each decision is one action.

An action is a frozen dataclass that says what is wanted. :func:`decide` checks the permission, lets it change rows
through a journal, settles what follows from the change, and writes it all down as one ``Decision``: all or nothing.
:func:`effect` says what it would settle, without making it. ``Undo`` puts back what a journal wrote down.

============= =====================================================================================================
base.py       what an action is; ``decide`` and ``effect``
journal.py    rows changed, and put back exactly
claims.py     review groups as they were shown; texts and items that come to mean a brand
confirm.py    Confirm: it is a brand, as it is spelled
naming.py     NewBrand, AliasOf: it is a brand of another name; Rename, EditBrand
rejecting.py  Reject: it is no brand; Restore
merging.py    Merge, Unmerge
splitting.py  Split: these items are something else than the rest of their group
standing.py   AddBrand, ConfirmBrands, RejectBrands, KeepApart, DeleteBrand: of whole brands, outside of review
importing.py  ImportBrands: a whole list at once
logos.py      AddLogo, RemoveLogo
undo.py       Undo, and with it redo
============= =====================================================================================================
"""

from brands.actions.base import Action, Decider, Effect, decide, effect
from brands.actions.claims import GroupRef
from brands.actions.confirm import Confirm
from brands.actions.importing import ImportBrands
from brands.actions.logos import AddLogo, RemoveLogo
from brands.actions.merging import Merge, Unmerge
from brands.actions.naming import AliasOf, EditBrand, NewBrand, Rename
from brands.actions.rejecting import Reject, Restore
from brands.actions.splitting import Split
from brands.actions.standing import AddBrand, ConfirmBrands, DeleteBrand, KeepApart, RejectBrands
from brands.actions.undo import Undo

__all__ = [
    "Action",
    "AddBrand",
    "AddLogo",
    "AliasOf",
    "Confirm",
    "ConfirmBrands",
    "Decider",
    "DeleteBrand",
    "EditBrand",
    "Effect",
    "GroupRef",
    "ImportBrands",
    "KeepApart",
    "Merge",
    "NewBrand",
    "Reject",
    "RejectBrands",
    "RemoveLogo",
    "Rename",
    "Restore",
    "Split",
    "Undo",
    "Unmerge",
    "decide",
    "effect",
]
