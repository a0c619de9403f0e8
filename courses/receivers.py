"""courses hears nothing: what contexts above know of its courses, they set down by its services."""
