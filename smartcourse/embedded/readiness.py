"""Whether the platform answers: asked from outside, as its users and its queue do."""

from __future__ import annotations

import http.client

from celery import Celery
from kombu.exceptions import OperationalError

ANSWER_SECONDS = 5
PING_SECONDS = 0.5


def web_is_healthy(port: int) -> bool:
    """Tell whether `GET /api/v1/health` on that port of 127.0.0.1 answers 200."""
    # Not urllib: it would ask the proxy that the environment names.
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_SECONDS)
    try:
        connection.request("GET", "/api/v1/health")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def worker_answers(broker_url: str, node: str) -> bool:
    """Tell whether the Celery worker of that node name answers a ping through the broker, within half a
    second.
    """
    with Celery("quickstart", broker=broker_url, set_as_current=False) as application:
        application.conf.broker_transport_options = {"socket_connect_timeout": ANSWER_SECONDS}
        try:
            return bool(application.control.ping(destination=[node], timeout=PING_SECONDS))
        except (OperationalError, OSError):
            return False
