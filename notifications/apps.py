from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "notifications"

    def ready(self) -> None:
        # Importing the receivers connects them.
        import notifications.receivers  # noqa: F401
