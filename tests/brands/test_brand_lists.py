"""Brand lists as people write them."""

from __future__ import annotations

import pytest

from brands.brand_lists import guarded, read_brand_list, unguarded
from detect.errors import ConfigError


def names(text: str) -> list[tuple[str, tuple[str, ...]]]:
    return [(brand.name, brand.aliases) for brand in read_brand_list(text)]


def test_names_with_commas_between():
    assert names(" Velmora, NORDIQ ,, Takvia One,velmora") == [("Velmora", ()), ("NORDIQ", ()), ("Takvia One", ())]


def test_a_csv_with_aliases_a_header_a_byte_order_mark_and_empty_lines(tmp_path):
    path = tmp_path / "brands.csv"
    path.write_text('\ufeffname,aliases\nVelmora,Vel Mora;VLM\n\n"Hexa, Lon",\nVELMORA,velm\n', encoding="utf-8")
    assert names(str(path)) == [("Velmora", ("Vel Mora", "VLM", "velm")), ("Hexa, Lon", ())]


def test_a_csv_without_header_and_with_a_column_an_alias(tmp_path):
    path = tmp_path / "brands.csv"
    path.write_text("Velmora,Vel,Mora\nHexalon\n")
    assert names(str(path)) == [("Velmora", ("Vel", "Mora")), ("Hexalon", ())]


@pytest.mark.parametrize(
    ("content", "part"),
    [("", "no brand"), ("name,aliases\n", "no brand"), ("Velmora\n!!!\n", "line 2: '!!!'"), ("A" * 301, "301 letters")],
)
def test_a_list_that_cannot_be_used_is_named_with_its_line(tmp_path, content, part):
    path = tmp_path / "brands.csv"
    path.write_text(content)
    with pytest.raises(ConfigError, match=part):
        read_brand_list(str(path))


def test_a_missing_file_and_one_that_is_no_text_are_named(tmp_path):
    with pytest.raises(ConfigError, match=r"nowhere\.csv cannot be read"):
        read_brand_list(str(tmp_path / "nowhere.csv"))
    (tmp_path / "noise.csv").write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(ConfigError, match=r"noise\.csv cannot be read"):
        read_brand_list(str(tmp_path / "noise.csv"))


@pytest.mark.parametrize("text", ["", " , ,", "..."])
def test_a_comma_list_without_a_name_is_refused(text):
    with pytest.raises(ConfigError, match="--brands"):
        read_brand_list(text)


def test_an_export_is_a_list_of_confirmed_brands_with_what_was_merged_into_them(tmp_path):
    path = tmp_path / "brands.csv"
    path.write_text(
        "name,aliases,confirmed,merged_into\n"
        "Velmora,VLM;Vel,yes,\n"
        "Vel Mora Air,VMA,no,Velmora\n"
        "Velair,,yes,Vel Mora Air\n"
        "Hexalon,,no,\n"
        "Hexa,,yes,Hexalon\n"
        "Orbital,,yes,Elsewhere\n"
        "Loop,,yes,Loop Two\nLoop Two,,yes,Loop\n",
        encoding="utf-8",
    )
    assert names(str(path)) == [
        ("Velmora", ("VLM", "Vel", "Vel Mora Air", "VMA", "Velair")),
        ("Elsewhere", ("Orbital",)),
        ("Loop Two", ("Loop",)),
        ("Loop", ("Loop Two",)),
    ]


@pytest.mark.parametrize(
    ("content", "part"),
    [
        ("name,aliases,country\nVelmora,,ES\n", "line 1: there is no column 'country'"),
        ("name,aliases,aliases\n", "line 1: there is no column 'aliases'"),
        ("name,aliases,confirmed\nVelmora,,maybe\n", "line 2: 'confirmed' is 'maybe': write yes or no"),
        ("name,confirmed\nVelmora,yes,Vel\n", "line 2 has 3 cells and the header names 2 columns"),
        ('name,aliases\n"Velmora,VLM\n', "line 2 is no CSV"),
    ],
    ids=["unknown", "twice", "neither", "too many", "open quote"],
)
def test_columns_that_cannot_be_used_are_named(tmp_path, content, part):
    path = tmp_path / "brands.csv"
    path.write_text(content)
    with pytest.raises(ConfigError, match=part):
        read_brand_list(str(path))


@pytest.mark.parametrize(
    "cell", ["=1+1", "+49", "-x", "@me", "\tx", "\rx", "＝1", "'=x", "''+x", "'plain", "O'Hara", "", "a=b"]
)
def test_a_guarded_cell_comes_back_as_it_was(cell):
    assert not guarded(cell).startswith(("=", "+", "-", "@", "\t", "\r", "＝"))
    assert unguarded(guarded(cell)) == cell


def test_a_guarded_cell_of_a_list_is_the_name_that_it_was(tmp_path):
    path = tmp_path / "brands.csv"
    path.write_text("name,aliases\n'=Velmora,'+VLM;Vel\n")
    assert names(str(path)) == [("=Velmora", ("+VLM", "Vel"))]
