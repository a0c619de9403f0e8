"""What a trace of an exception may tell the log: never a secret that its message quotes, nor a local variable."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable

import pytest
import structlog

from smartcourse.settings.logging import logging_settings


@pytest.fixture(params=[True, False], ids=["json", "text"])
def logged(request: pytest.FixtureRequest) -> Callable[[Exception], str]:
    """Return what is written of an exception, by structlog and by the standard library."""
    settings = logging_settings(level="INFO", as_json=request.param)["formatters"]["event"]
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=settings["foreign_pre_chain"], processors=settings["processors"]
        )
    )
    plain = logging.getLogger("smartcourse.tests.attacks")
    plain.handlers, plain.propagate = [handler], False

    def write(error: Exception) -> str:
        try:
            fail(error, password="planted " + "local")
        except RuntimeError as caught:
            structlog.get_logger(plain.name).error("failed", exc_info=caught)
            plain.exception("failed")
        return written.getvalue()

    return write


def fail(error: Exception, *, password: str) -> None:
    """Raise it where a secret is at hand."""
    raise error


class TestTrace:
    @pytest.mark.parametrize(
        "message",
        [
            "no answer to Bearer planted.planted.planted",
            "cannot open https://example.org/?token=planted",
            "cannot reach amqp://user:planted@broker/",
            'violates "emails_are_lower_case"\nDETAIL:  Failing row contains (7, planted, bcrypt$planted).',
        ],
    )
    def test_tells_no_secret_that_its_message_quotes(
        self, message: str, logged: Callable[[Exception], str]
    ) -> None:
        written = logged(RuntimeError(message))
        assert "RuntimeError" in written
        assert "planted.planted" not in written
        assert "=planted" not in written
        assert ":planted" not in written
        assert "$planted" not in written

    def test_tells_no_local_variable(self, logged: Callable[[Exception], str]) -> None:
        assert "planted local" not in logged(RuntimeError("x"))
