"""One process that analyses two videos, so that the second finds the models loaded.

    python -m bench.loaded FOLDER VIDEO BRANDS.csv VIDEO BRANDS.csv [BRAND=IMAGE …]

writes both reports below FOLDER; pictures of brands are for the second video. It runs in an installation's environment.
"""

from __future__ import annotations

import sys
from pathlib import Path

import django
from django.core.management import call_command


def main(arguments: list[str]) -> None:
    folder, first, its_brands, second, brands, *logos = arguments
    django.setup()
    call_command("analyze", first, brands=its_brands, out=Path(folder) / "first")
    call_command("analyze", second, brands=brands, out=Path(folder) / "second", logo=logos)


if __name__ == "__main__":
    main(sys.argv[1:])
