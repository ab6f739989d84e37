"""The connection of the ORM, which reads moments as the driver does it.

Django's reader goes through Python for every moment, and costs ten times as much as the driver's,
which is C. Both give UTC.
"""

from __future__ import annotations

from typing import Any, cast

import psycopg
from django.db.backends.postgresql import base
from psycopg.abc import Loader

_OF_THE_DRIVER = psycopg.adapters.get_loader(
    psycopg.adapters.types["timestamptz"].oid, psycopg.pq.Format.TEXT
)
MOMENTS = cast(type[Loader], _OF_THE_DRIVER)


class DatabaseWrapper(base.DatabaseWrapper):
    def create_cursor(self, name: str | None = None) -> Any:
        cursor = super().create_cursor(name)
        cursor.adapters.register_loader("timestamptz", MOMENTS)
        return cursor
