"""Is the portal able to work? For balancers and the operator, without sign-in."""

import os
from typing import Any

import redis
from django.conf import settings
from django.db import DatabaseError, connection

from core import slots


def report() -> dict[str, Any]:
    """`status`, `database` and `broker` ("ok" or "down"), `last_sweep` (ISO 8601, UTC, or null), `version`."""
    database, last_sweep = _database()
    parts = {"database": "ok" if database else "down", "broker": "ok" if _broker() else "down"}
    return {
        "status": "ok" if set(parts.values()) == {"ok"} else "down",
        **parts,
        "last_sweep": last_sweep,
        "version": settings.VERSION,
    }


def _database() -> tuple[bool, str | None]:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        swept_at = slots.last_finished("sweep")
    except DatabaseError:
        return False, None
    return True, swept_at.isoformat() if swept_at else None


def _broker() -> bool:
    if not settings.REDIS_URL:
        return os.access(str(settings.CELERY_BROKER_TRANSPORT_OPTIONS["data_folder_out"]), os.W_OK | os.X_OK)
    try:
        with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False
