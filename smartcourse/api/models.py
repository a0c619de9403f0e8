"""What the edge of the API remembers."""

from __future__ import annotations

from django.db import models


class RecordedAnswer(models.Model):
    """The first answer to a POST that came with an `Idempotency-Key`, kept for a day.

    It is written in the transaction of the effect: there is one exactly where there was an effect, or where a rule
    refused it. Nobody who reads the table learns who asked, what was asked, or what was answered: the id and the
    fingerprint are keyed hashes, and the answer is encrypted by a key that the client's own key is a part of.
    """

    id = models.CharField(primary_key=True, max_length=64, editable=False)
    fingerprint = models.CharField(max_length=64, help_text="Of method, address and body.")
    answer = models.BinaryField(help_text="Status, headers and body, sealed.")
    created_at = models.DateTimeField(db_index=True, help_text="By the clock of the database.")

    def __str__(self) -> str:
        return f"answer {self.id[:8]}"
