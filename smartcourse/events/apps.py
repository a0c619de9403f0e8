from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules

from smartcourse.observability.readings import provide


class EventsConfig(AppConfig):
    name = "smartcourse.events"
    label = "events"

    def ready(self) -> None:
        # Every context's facts are registered, also those that no code of its own names yet.
        autodiscover_modules("events")
        # It registers itself with the relay, by its name alone: Kafka's package is not needed for that.
        import smartcourse.events.kafka.sink  # noqa: F401
        from smartcourse.events import metrics

        provide("database", metrics.read)
