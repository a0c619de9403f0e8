from django.apps import AppConfig


class ObservabilityConfig(AppConfig):
    name = "smartcourse.observability"
    label = "observability"
