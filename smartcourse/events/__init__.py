"""Facts: what happened, written with the change, relayed at least once, handled once by every subscriber."""
