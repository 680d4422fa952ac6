"""The providers file: which vision-language models there are, how to reach them and what they cost."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Decimal
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from detect.errors import ConfigError
from detect.named_entries import read_named_entries

_MAX_PRICE = Decimal(1_000_000)
_USABLE_KEY = re.compile(r"[!-~]+")
_SMALLEST_USD = Decimal("0.00000001")


class Provider(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One OpenAI-compatible endpoint with one model. ``docs/providers.md`` tells what each field is for.

    ``api_key_env`` is the *name* of the environment variable that holds the key; the key itself is never kept here.
    Prices are US dollars per million tokens.
    """

    name: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.-]{1,100}$")]
    base_url: str
    model: Annotated[str, Meta(min_length=1, max_length=200)]
    kind: Literal["local", "cloud"] = "local"
    api_key_env: Annotated[str, Meta(pattern=r"^([A-Za-z_][A-Za-z0-9_]*)?$")] = ""
    usd_per_million_input_tokens: Decimal = Decimal(0)
    usd_per_million_output_tokens: Decimal = Decimal(0)
    timeout_s: Annotated[float, Meta(gt=0, le=600)] = 60.0
    give_up_after_s: Annotated[float, Meta(gt=0, le=3600)] = 180.0
    concurrency: Annotated[int, Meta(ge=1, le=64)] = 2
    max_attempts: Annotated[int, Meta(ge=1, le=10)] = 4
    backoff_s: Annotated[float, Meta(ge=0, le=60)] = 1.0
    stop_after_failures: Annotated[int, Meta(ge=1, le=1000)] = 3
    max_output_tokens: Annotated[int, Meta(ge=16, le=100_000)] = 400
    image_tokens: Annotated[int, Meta(ge=1, le=1_000_000)] = 3000
    response_format: Literal["auto", "json_schema", "json_object", "text"] = "auto"
    extra_body: dict[str, Any] = msgspec.field(default_factory=dict)
    proxy: str = ""

    def price(self, input_tokens: int, output_tokens: int) -> Decimal:
        """US dollars for these tokens, rounded up to a hundred-millionth."""
        usd = input_tokens * self.usd_per_million_input_tokens + output_tokens * self.usd_per_million_output_tokens
        return (usd / 1_000_000).quantize(_SMALLEST_USD, ROUND_CEILING)


@dataclass(frozen=True)
class ProviderCatalog:
    """The providers there are, by name. ``environment`` is where keys are looked up, when they are needed."""

    providers: Mapping[str, Provider] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False, compare=False)

    def get(self, name: str) -> Provider | None:
        return self.providers.get(name)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(sorted(self.providers))

    def key_problem(self, provider: Provider) -> str:
        """Why the provider's key cannot be used, as a sentence; empty when it can, or when none is needed."""
        if not provider.api_key_env or _USABLE_KEY.fullmatch(self.api_key(provider)):
            return ""
        if not self.api_key(provider):
            return f"provider '{provider.name}' has no key: set {provider.api_key_env}"
        # Told here because an HTTP library would quote the key in its own error.
        return f"provider '{provider.name}': {provider.api_key_env} holds characters that no key can have"

    def api_key(self, provider: Provider) -> str:
        """The provider's key; empty where it needs none or has none."""
        return self.environment.get(provider.api_key_env, "").strip() if provider.api_key_env else ""


def load_catalog(path: Path, environment: Mapping[str, str] | None = None) -> ProviderCatalog:
    """Read a providers file; a missing file is an empty catalog.

    Raises ``ConfigError`` naming the file, the provider and the field that is wrong, and never quoting a value: people
    paste keys into the wrong place.
    """
    entries = read_named_entries(path, "providers", kind="providers file", settings="settings")
    providers = {name: _read_provider(path, name, entry) for name, entry in entries.items()}
    return ProviderCatalog(providers, os.environ if environment is None else environment)


def _read_provider(path: Path, name: str, entry: Any) -> Provider:
    where = f"providers file {path}: provider '{name}'"
    if not isinstance(entry, dict):
        raise ConfigError(f"{where}: expected settings such as base_url and model")
    allowed = [known.name for known in msgspec.structs.fields(Provider) if known.name != "name"]
    for given in entry:
        if given not in allowed:
            raise ConfigError(f"{where}: unknown field '{given}'; allowed are {', '.join(allowed)}")
    values = {**entry, "name": name}
    if isinstance(entry.get("base_url"), str):
        values["base_url"] = entry["base_url"].strip().rstrip("/")
    try:
        provider = msgspec.convert(values, Provider)
    except msgspec.ValidationError as error:
        reason, _, place = str(error).partition(" - at `$.")
        raise ConfigError(f"{where}{_field(place)}: {reason}") from None
    problem = _problem(provider, entry)
    if problem:
        raise ConfigError(f"{where}, {problem}")
    return provider


def _field(place: str) -> str:
    name = place.rstrip("`")
    return f", field '{name}'" if name else ""


def _problem(provider: Provider, entry: dict[str, Any]) -> str:
    """What types and ranges alone cannot tell; empty when all is well."""
    for name in ("base_url", "proxy"):
        address = getattr(provider, name)
        if (address or name == "base_url") and not _is_plain_address(address):
            return f"field '{name}': expected http://host:port/path or https://…, without user, password or query"
    if provider.base_url.endswith("/completions"):
        return "field 'base_url': give the address up to /v1, without /chat/completions"
    for name in ("usd_per_million_input_tokens", "usd_per_million_output_tokens"):
        price = getattr(provider, name)
        if not (price.is_finite() and 0 <= price <= _MAX_PRICE):
            return f"field '{name}': expected a price from 0 to {_MAX_PRICE}"
        if (provider.kind == "cloud" or provider.api_key_env) and name not in entry:
            return f"field '{name}': a cloud provider, or one with a key, needs its price (0 if it is free)"
    return ""


def _is_plain_address(address: str) -> bool:
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        return False
    plain = not (parts.query or parts.fragment or "@" in parts.netloc)
    return parts.scheme in ("http", "https") and bool(parts.hostname) and plain
