"""What is wrong with demo content, said to its author."""

from __future__ import annotations


class DemoContentError(Exception):
    """The demo's own files break a rule; the message names the file, the place in it and the rule."""
