from django.apps import AppConfig


class EventsConfig(AppConfig):
    name = "smartcourse.events"
    label = "events"

    def ready(self) -> None:
        # Every process that publishes or handles facts needs the Celery application as the current one.
        import smartcourse.celery  # noqa: F401
