"""How many passwords are hashed at once, whoever asks."""

from __future__ import annotations

import threading
from typing import Any

import bcrypt
from django.utils.module_loading import import_string

from accounts.hashing import AT_ONCE, CappedBCryptSHA256PasswordHasher
from smartcourse.settings import base


class Watched:
    """The bcrypt library, telling how many were in it at once; each waits for a second one, so that two must fit."""

    def __init__(self) -> None:
        self.inside = 0
        self.most = 0
        self._lock = threading.Lock()
        self._pairs = threading.Barrier(AT_ONCE, timeout=20)

    gensalt = staticmethod(bcrypt.gensalt)

    def hashpw(self, password: bytes, salt: bytes) -> bytes:
        with self._lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        self._pairs.wait()
        try:
            return bcrypt.hashpw(password, salt)
        finally:
            with self._lock:
                self.inside -= 1


class TestCappedHasher:
    def test_is_the_one_that_the_product_uses(self) -> None:
        hasher = import_string(base.PASSWORD_HASHERS[0])
        assert issubclass(hasher, CappedBCryptSHA256PasswordHasher)
        assert (hasher.algorithm, hasher.rounds) == ("bcrypt_sha256", 12)

    def test_lets_two_in_and_no_more(self) -> None:
        library = Watched()

        class Hasher(CappedBCryptSHA256PasswordHasher):
            rounds = 4

            def _load_library(self) -> Any:
                return library

        encoded = "bcrypt_sha256$" + bcrypt.hashpw(b"x", bcrypt.gensalt(4)).decode()
        verdicts: list[bool] = []
        threads = [
            threading.Thread(target=lambda: verdicts.append(Hasher().verify("wrong password", encoded)))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert verdicts == [False] * 8
        assert library.most == AT_ONCE
