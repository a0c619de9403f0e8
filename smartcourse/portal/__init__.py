"""Answers that need all contexts at once."""
