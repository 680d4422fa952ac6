"""``python -m tests.providers.asking URL NAME…``: a process that asks about names and prints what it was told."""

from __future__ import annotations

import os
import sys
from decimal import Decimal
from functools import partial


def main(url: str, names: list[str]) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mediaproc.settings")
    import django

    django.setup()
    from detect.persistence import DatabaseAnswerStore
    from detect.providers.budget import Budget
    from detect.providers.interview import Interview
    from detect.providers.openai_client import OpenAIClient
    from tests.providers.made import KEY, provider, question

    with OpenAIClient(provider(url, concurrency=2), KEY) as client:
        verdicts = Interview(client, DatabaseAnswerStore(), Budget(Decimal(1))).run(
            [partial(question, name) for name in names]
        )
    sys.stdout.write(",".join(verdict.answer.answer.brand for verdict in verdicts if verdict.answer))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
