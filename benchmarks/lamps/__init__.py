"""One fact and one subscriber, whose effect is one row."""
