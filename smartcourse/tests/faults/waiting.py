"""Waiting for what no system call can wait for."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(look: Callable[[], T], seconds: float, what: str = "nothing came of it") -> T:
    """Look until there is something, at most for so many seconds, and return it.

    Raises:
        AssertionError: there was nothing.
    """
    deadline = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}, in {seconds} seconds")
        time.sleep(0.05)
    return found
