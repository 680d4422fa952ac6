"""The providers file: what is accepted, and what people are told when it is not."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from detect.errors import ConfigError
from detect.providers.catalog import Provider, ProviderCatalog, load_catalog
from mediaproc.datafolder import PROJECT_ROOT
from tests.providers.made import ENVIRONMENT, KEY, provider

GOOD = """
providers:
  local:
    base_url: http://localhost:11434/v1/
    model: qwen2.5vl:7b
  cloud:
    kind: cloud
    base_url: https://api.example.com/v1
    model: big-vision
    api_key_env: SOME_KEY
    usd_per_million_input_tokens: 0.15
    usd_per_million_output_tokens: "0.60"
    concurrency: 4
    extra_body: {reasoning_effort: low}
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "providers.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_missing_file_is_an_empty_catalog(tmp_path: Path) -> None:
    assert load_catalog(tmp_path / "none.yaml").names == ProviderCatalog().names == ()


@pytest.mark.parametrize("text", ["", "providers:\n", "providers: {}\n", "# nothing yet\n"])
def test_a_file_without_providers_is_an_empty_catalog(tmp_path: Path, text: str) -> None:
    assert load_catalog(write(tmp_path, text)).names == ()


def test_values_are_read_and_prices_are_exact(tmp_path: Path) -> None:
    catalog = load_catalog(write(tmp_path, GOOD), ENVIRONMENT)
    local, cloud = catalog.get("local"), catalog.get("cloud")
    assert local is not None
    assert cloud is not None
    assert catalog.names == ("cloud", "local")
    assert (local.kind, local.base_url) == ("local", "http://localhost:11434/v1")
    assert (cloud.kind, cloud.concurrency, cloud.extra_body) == ("cloud", 4, {"reasoning_effort": "low"})
    assert cloud.usd_per_million_input_tokens == Decimal("0.15")
    assert cloud.price(1_000_000, 1_000_000) == Decimal("0.75")
    assert cloud.price(1, 0) == Decimal("0.00000015")
    assert local.price(10**6, 10**6) == 0


def entry(**fields: object) -> str:
    values = {"base_url": "http://localhost:1/v1", "model": "m", **fields}
    return "providers:\n  mine:\n" + "".join(f"    {name}: {value}\n" for name, value in values.items())


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (entry(concurrency=0), "field 'concurrency': Expected `int` >= 1"),
        (entry(concurrency="many"), "field 'concurrency': Expected `int`, got `str`"),
        (entry(timeout_s=100000), "field 'timeout_s': Expected `float` <= 600"),
        (entry(kind="moon"), "field 'kind': Invalid enum value 'moon'"),
        (entry(modle="x"), "unknown field 'modle'; allowed are base_url, model,"),
        (entry(base_url="localhost:11434"), "field 'base_url': expected http://"),
        (entry(base_url="ftp://host/v1"), "field 'base_url': expected http://"),
        (entry(base_url="http://host:port/v1"), "field 'base_url': expected http://"),
        (entry(base_url="http://host/v1/chat/completions"), "without /chat/completions"),
        (entry(proxy="socks"), "field 'proxy': expected http://"),
        (entry(usd_per_million_input_tokens=-1), "field 'usd_per_million_input_tokens': expected a price"),
        (entry(usd_per_million_input_tokens='"NaN"'), "field 'usd_per_million_input_tokens': expected a price"),
        (entry(usd_per_million_output_tokens="cheap"), "field 'usd_per_million_output_tokens'"),
        (entry(kind="cloud"), "field 'usd_per_million_input_tokens': a cloud provider"),
        (entry(api_key_env="A", usd_per_million_input_tokens=1), "field 'usd_per_million_output_tokens': a cloud"),
        (entry(response_format="xml"), "field 'response_format'"),
        ("providers:\n  mine:\n    model: m\n", "missing required field `base_url`"),
        ("providers:\n  mine: 3\n", "expected settings"),
        ("providers:\n  'a b': {base_url: http://h/v1, model: m}\n", "field 'name'"),
        ("providers: [a]\n", "must map names"),
        ("- a\n", "top-level entry 'providers'"),
        ("models: {}\n", "top-level entry 'providers'"),
        ("providers:\n  mine: {base_url: [\n", "line 3: not valid YAML"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load_catalog(path)
    assert told in caught.value.message
    assert str(path) in caught.value.message


@pytest.mark.parametrize(
    "text",
    [
        entry(api_key=KEY),
        entry(api_key_env=KEY),
        entry(base_url=f"https://user:{KEY}@host/v1"),
        entry(base_url=f"https://host/v1?key={KEY}"),
        entry(concurrency=KEY),
        f"providers:\n  mine: {{api_key: {KEY}\n",
    ],
)
def test_a_key_in_the_wrong_place_is_not_repeated(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_catalog(write(tmp_path, text))
    error: BaseException | None = caught.value
    while error is not None:
        assert KEY not in str(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_catalog(tmp_path)
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00\xd8")
    with pytest.raises(ConfigError, match="not UTF-8"):
        load_catalog(tmp_path / "bytes.yaml")


def test_keys_are_looked_up_when_needed_and_never_shown() -> None:
    one = provider("http://127.0.0.1:1/v1")
    environment = {"SOME_KEY": f" {KEY}\n"}
    catalog = ProviderCatalog({"local": one}, environment)
    assert (catalog.key_problem(one), catalog.api_key(one)) == ("", KEY)
    assert KEY not in repr(catalog)
    environment["SOME_KEY"] = " "
    assert catalog.key_problem(one) == "provider 'local' has no key: set SOME_KEY"
    environment["SOME_KEY"] = "two words-sk-secret"
    assert "characters" in catalog.key_problem(one)
    assert "secret" not in catalog.key_problem(one)
    assert catalog.key_problem(provider("http://127.0.0.1:1/v1", api_key_env="")) == ""


def test_the_documented_example_is_valid_and_every_field_is_documented(tmp_path: Path) -> None:
    text = (PROJECT_ROOT / "docs/providers.md").read_text(encoding="utf-8")
    example = text.split("```yaml\n")[1].split("```")[0]
    assert load_catalog(write(tmp_path, example)).names == ("cloud", "gpu_box", "laptop", "local")
    documented = set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`.*?) \|", text, re.MULTILINE))))
    assert {field.name for field in msgspec.structs.fields(Provider)} - {"name"} <= documented
