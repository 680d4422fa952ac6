"""Fields of bodies that take a value of JSON as what it is: a number in quotes is no number, and 0 is not false."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

_AMOUNT = r"^[0-9]{1,8}(\.[0-9]{1,6})?$"


class PlainText(serializers.CharField):
    """Text without what Postgres does not keep (NUL, half of a surrogate pair); blank only where told so."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"max_length": 200, **options})

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Whole(serializers.IntegerField):
    """A whole number; 3.0 is one."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, (bool, str)):
            self.fail("invalid")
        return super().to_internal_value(data)


class Number(serializers.FloatField):
    """A finite number."""

    def to_internal_value(self, data: Any) -> float:
        if isinstance(data, (bool, str)):
            self.fail("invalid")
        value = super().to_internal_value(data)
        if not math.isfinite(value):
            self.fail("invalid")
        return value


class Flag(serializers.BooleanField):
    """True or false."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class OverridesField(serializers.DictField):
    """``{stage: {option: value}}``."""

    def __init__(self, **options: Any) -> None:
        told = "{stage: {option: value}}; GET /detect/stages lists them with their ranges"
        super().__init__(**{"child": serializers.DictField(), "help_text": told, **options})


@extend_schema_field(
    {
        "type": ["string", "number"],  # and null, which is added where it may be
        "pattern": _AMOUNT,
        "minimum": 0,
        "exclusiveMaximum": 100_000_000,
    }
)
class Money(serializers.DecimalField):
    """US dollars, exact to a millionth: text, or a number."""

    def __init__(self, **options: Any) -> None:
        limits = {"min_value": Decimal(0), "max_digits": 14, "decimal_places": 6, "allow_null": True}
        super().__init__(**{**limits, **options})

    def validate_empty_values(self, data: Any) -> tuple[bool, Any]:
        if isinstance(data, (bool, str)) and re.fullmatch(_AMOUNT, str(data)) is None:
            self.fail("invalid")
        return super().validate_empty_values(data)
