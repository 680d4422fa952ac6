"""Reference pictures of brands."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import ClassVar
from uuid import UUID

from django.core.files.base import ContentFile

from brands.actions.base import Decider, Outcome
from brands.actions.claims import brand_get
from brands.actions.journal import Journal
from brands.models import BrandLogo, DecisionKind
from detect.errors import ConflictError, NotFoundError
from mediaproc.roles import Role


@dataclass(frozen=True)
class AddLogo:
    """A picture, as a file holds it, shows the brand's logo. ``suffix`` is its file's, with the point."""

    brand_id: UUID
    picture: bytes = field(repr=False)
    suffix: str

    kind: ClassVar = DecisionKind.EDIT
    needs: ClassVar = Role.CURATOR

    def apply(self, journal: Journal, by: Decider) -> Outcome:
        brand = brand_get(self.brand_id)
        digest = hashlib.sha256(self.picture).hexdigest()
        if BrandLogo.objects.filter(brand=brand, sha256=digest).exists():
            raise ConflictError(f"{brand.canonical_name} has this picture already")
        image = ContentFile(self.picture, name=f"{digest}{self.suffix.lower()}")
        journal.create(BrandLogo(brand=brand, sha256=digest, image=image))
        return Outcome(f"{brand.canonical_name}: reference picture added", brand=brand, brands=(brand.id,))


@dataclass(frozen=True)
class RemoveLogo:
    """A reference picture is no longer one; its file stays, so that this can be undone."""

    logo_id: int

    kind: ClassVar = DecisionKind.EDIT
    needs: ClassVar = Role.CURATOR

    def apply(self, journal: Journal, by: Decider) -> Outcome:
        logo = BrandLogo.objects.select_related("brand").filter(id=self.logo_id).first()
        if logo is None:
            raise NotFoundError(f"There is no reference picture {self.logo_id}.")
        brand = logo.brand
        journal.remove(logo)
        return Outcome(f"{brand.canonical_name}: reference picture removed", brand=brand, brands=(brand.id,))
