"""Whether this process is alive, and whether it can serve."""

from __future__ import annotations

from typing import Any

import psycopg
from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connection
from drf_spectacular.utils import extend_schema, inline_serializer
from redis.exceptions import RedisError
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from smartcourse.observability.draining import is_draining

PATIENCE_SECONDS = 1.0

HEALTH = inline_serializer("Health", {"status": serializers.CharField()})
READINESS = inline_serializer(
    "Readiness",
    {
        "status": serializers.ChoiceField(choices=["ok", "degraded", "draining", "unavailable"]),
        "database": serializers.BooleanField(),
        "redis": serializers.BooleanField(),
    },
)


class HealthView(APIView):
    """Alive: the process answers. Nothing else is asked, so that a slow database restarts no container."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = ()

    @extend_schema(operation_id="health", responses=HEALTH, tags=["operations"])
    def get(self, request: Request) -> Response:
        return Response({"status": "ok"})


class ReadyView(APIView):
    """Ready: 503 without the database or when about to end (`draining`), 200 `degraded` without Redis."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = ()

    @extend_schema(operation_id="ready", responses={200: READINESS, 503: READINESS}, tags=["operations"])
    def get(self, request: Request) -> Response:
        database, redis = _database_answers(), _redis_answers()
        leaving = is_draining()
        status = "unavailable" if not database else "draining" if leaving else "ok" if redis else "degraded"
        body: dict[str, Any] = {"status": status, "database": database, "redis": redis}
        return Response(body, status=200 if database and not leaving else 503)


def _database_answers() -> bool:
    """Ask the database anything, but wait for a connection no longer than whoever asks us would."""
    pool: Any = getattr(connection, "pool", None)
    try:
        if pool is None:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
            return True
        # Nothing where it is open already.
        pool.open()
        with pool.connection(timeout=PATIENCE_SECONDS) as taken:
            taken.execute("SELECT 1")
    except (DatabaseError, psycopg.Error):
        return False
    return True


def _redis_answers() -> bool:
    if not settings.REDIS_URL:
        return False
    try:
        cache.get("ready")
    except RedisError:
        return False
    return True
