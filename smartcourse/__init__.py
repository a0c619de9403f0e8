"""The platform of SmartCourse, and the place where the contexts are put together."""
