"""Outgoing HTTP: to addresses that strangers name (checked, pinned, bounded), and to services of our choice."""
