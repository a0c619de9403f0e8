from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    name = "smartcourse.webhooks"
    label = "webhooks"

    def ready(self) -> None:
        # Importing the receivers connects them.
        import smartcourse.webhooks.receivers  # noqa: F401
