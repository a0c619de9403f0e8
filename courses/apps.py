from django.apps import AppConfig


class CoursesConfig(AppConfig):
    name = "courses"

    def ready(self) -> None:
        # Importing the receivers connects them.
        import courses.receivers  # noqa: F401
