"""Arguments that several commands share."""

from __future__ import annotations

from argparse import ArgumentParser


def add_set_argument(parser: ArgumentParser) -> None:
    """``--set stage.option=value``, repeatable."""
    parser.add_argument(
        "--set",
        metavar="STAGE.OPTION=VALUE",
        action="append",
        default=[],
        help="set an option of a stage; may be given again. `manage.py stages` lists them all",
    )
