"""librdkafka's mock cluster: brokers that speak Kafka's protocol over TCP, inside of the test's own process.

The Python client has only the switch `test.mock.num.brokers`; what makes faults (brokers that go and come back,
requests that are refused) is in the C API of the same library (rdkafka_mock.h), so it is called there. What it cannot
do: create topics by the admin protocol, and a classic consumer group that changes (it hangs).
"""

from __future__ import annotations

import ctypes
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import confluent_kafka

PRODUCE = 0
"""The key of a produce request in Kafka's protocol."""
ALL_BROKERS = -1

_POINTER, _INT, _INT16, _INT32, _TEXT, _SIZE = (
    ctypes.c_void_p,
    ctypes.c_int,
    ctypes.c_int16,
    ctypes.c_int32,
    ctypes.c_char_p,
    ctypes.c_size_t,
)


class MockCluster:
    """Brokers of the test's own; topics that it does not create come by themselves, with four partitions."""

    def __init__(self, *, brokers: int = 3, topics: dict[str, int] | None = None) -> None:
        self._library = ctypes.CDLL(str(_library_of_the_client()))
        settings = self._call("rd_kafka_conf_new", _POINTER)
        reason = ctypes.create_string_buffer(512)
        for name, value in ((b"log_level", b"0"), (b"bootstrap.servers", b"127.0.0.1:1")):
            self._call("rd_kafka_conf_set", _INT, (_POINTER, settings), (_TEXT, name), (_TEXT, value),
                       (_TEXT, reason), (_SIZE, 512))  # fmt: skip
        # A client that hosts the cluster and does nothing else.
        self._host = self._call(
            "rd_kafka_new", _POINTER, (_INT, 0), (_POINTER, settings), (_TEXT, reason), (_SIZE, 512)
        )
        self._cluster = self._call(
            "rd_kafka_mock_cluster_new", _POINTER, (_POINTER, self._host), (_INT, brokers)
        )
        # A consumer hears of its partitions by its next heartbeat, which is three seconds away by default.
        self._call("rd_kafka_mock_set_group_consumer_heartbeat_interval_ms", None, (_POINTER, self._cluster),
                   (_INT, 100))  # fmt: skip
        for topic, partitions in (topics or {}).items():
            self._call("rd_kafka_mock_topic_create", _INT, (_POINTER, self._cluster), (_TEXT, topic.encode()),
                       (_INT, partitions), (_INT, brokers))  # fmt: skip

    @property
    def servers(self) -> str:
        """Return the addresses, as `bootstrap.servers` wants them."""
        text: bytes = self._call("rd_kafka_mock_cluster_bootstraps", _TEXT, (_POINTER, self._cluster))
        return text.decode()

    def go_down(self) -> None:
        """Close every connection and refuse new ones; what was written stays."""
        self._call("rd_kafka_mock_broker_set_down", _INT, (_POINTER, self._cluster), (_INT32, ALL_BROKERS))

    def come_back(self) -> None:
        self._call("rd_kafka_mock_broker_set_up", _INT, (_POINTER, self._cluster), (_INT32, ALL_BROKERS))

    def answer_slowly(self, *, milliseconds: int) -> None:
        self._call("rd_kafka_mock_broker_set_rtt", _INT, (_POINTER, self._cluster), (_INT32, ALL_BROKERS),
                   (_INT, milliseconds))  # fmt: skip

    def refuse_next(self, *errors: int, request: int = PRODUCE) -> None:
        """Answer the next requests of that kind with these errors, and do nothing of what they ask."""
        codes = (ctypes.c_int * len(errors))(*errors)
        self._call("rd_kafka_mock_push_request_errors_array", None, (_POINTER, self._cluster), (_INT16, request),
                   (_SIZE, len(errors)), (ctypes.POINTER(ctypes.c_int), codes))  # fmt: skip

    def disown_topic(self, topic: str, *, error: int) -> None:
        """Answer with this error to whoever asks for the topic; with zero, all is well again."""
        self._call("rd_kafka_mock_topic_set_error", None, (_POINTER, self._cluster), (_TEXT, topic.encode()),
                   (_INT, error))  # fmt: skip

    def close(self) -> None:
        """End the brokers, and forget what was written."""
        self._call("rd_kafka_mock_cluster_destroy", None, (_POINTER, self._cluster))
        self._call("rd_kafka_destroy", None, (_POINTER, self._host))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _call(self, name: str, result: Any, *arguments: tuple[Any, Any]) -> Any:
        function = self._library[name]
        function.restype, function.argtypes = result, [kind for kind, _ in arguments]
        return function(*[value for _, value in arguments])


def _library_of_the_client() -> Path:
    """Return the librdkafka that came with the client: wheels keep it beside the package (Linux) or in it (macOS)."""
    package = Path(confluent_kafka.__file__).parent
    folders = (package.with_name("confluent_kafka.libs"), package / ".dylibs")
    return next(found for folder in folders for found in folder.glob("librdkafka*"))
