from django.apps import AppConfig


class ProgressConfig(AppConfig):
    name = "progress"

    def ready(self) -> None:
        # Importing the receivers connects them.
        import progress.receivers  # noqa: F401
