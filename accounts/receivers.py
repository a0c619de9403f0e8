"""accounts hears nothing: whatever it needs to know, it did itself."""
