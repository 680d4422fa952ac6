"""Brands that are spelled alike and are not the same."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from brands.models.known import KnownBrand


class DistinctBrands(models.Model):
    """Two brands that a person said are two: they are no longer suggested as one. ``first`` has the smaller id."""

    first = models.ForeignKey(KnownBrand, on_delete=models.CASCADE, related_name="+")
    second = models.ForeignKey(KnownBrand, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["first", "second"], name="one_row_a_pair_of_brands"),
            models.CheckConstraint(condition=Q(first__lt=F("second")), name="pair_of_brands_is_in_order"),
        ]

    def __str__(self) -> str:
        return f"{self.first} is not {self.second}"
