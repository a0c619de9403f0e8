"""Outgoing HTTP to addresses that strangers name: checked, pinned, bounded in time and size."""
