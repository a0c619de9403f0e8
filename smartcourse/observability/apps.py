from django.apps import AppConfig
from django.core.signals import request_finished


class ObservabilityConfig(AppConfig):
    name = "smartcourse.observability"
    label = "observability"

    def ready(self) -> None:
        from smartcourse.observability.metrics import note_pool

        # Behind Django's own receiver, which gives the request's connection back to the pool.
        request_finished.connect(note_pool)
