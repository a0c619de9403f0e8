"""Being written."""

