"""What every model shares: keys that are never counters, and the times of a row's life."""
