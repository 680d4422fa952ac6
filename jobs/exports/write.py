"""A report as a folder of files."""

from __future__ import annotations

import logging
from pathlib import Path

from detect.exports.crops import write_crops
from detect.exports.files import make_folder, write_atomic
from detect.exports.rows import to_csv
from detect.report import Report, to_json
from detect.stages.base import FrameSource
from jobs.exports.html import render_html

logger = logging.getLogger(__name__)


def write_report(report: Report, out_dir: Path, frames: FrameSource) -> list[Path]:
    """Write ``report.json``, ``report.csv``, ``crops/*.jpg`` and ``report.html``; returns all paths written.

    ``report.json`` comes last: where it lies, the rest is complete. A file is replaced whole or not at all. Frames
    that are no longer stored cost their crops only. Raises ``StorageError`` when something cannot be written.
    """
    make_folder(out_dir)
    crops, missing = write_crops(report, out_dir, frames)
    if missing:
        logger.warning("%d frames are no longer stored; the report has no pictures of them", len(missing))
    return [
        *crops,
        write_atomic(out_dir / "report.csv", to_csv(report)),
        write_atomic(out_dir / "report.html", render_html(report)),
        write_atomic(out_dir / "report.json", to_json(report)),
    ]
