"""The test database is the embedded Postgres."""

from __future__ import annotations

import pytest
from django.db import connection


@pytest.mark.django_db
def test_database_is_postgres_18() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version_num")
        row = cursor.fetchone()
    assert row is not None
    assert 180000 <= int(row[0]) < 190000
