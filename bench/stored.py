"""Prints what the installation of this environment has stored, as JSON: ``{stage: {rows, bytes}}``."""

from __future__ import annotations

import json
import os


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mediaproc.settings")
    import django

    django.setup()
    from django.db.models import Count, Sum
    from django.db.models.functions import Length

    from detect.models import StageOutput

    rows = StageOutput.objects.values("stage").annotate(rows=Count("key"), bytes=Sum(Length("body"))).order_by("stage")
    print(json.dumps({row["stage"]: {"rows": row["rows"], "bytes": row["bytes"]} for row in rows}))


if __name__ == "__main__":
    main()
