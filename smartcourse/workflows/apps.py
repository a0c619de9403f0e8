from django.apps import AppConfig

from smartcourse.observability.readings import provide


class WorkflowsConfig(AppConfig):
    name = "smartcourse.workflows"
    label = "workflows"

    def ready(self) -> None:
        from smartcourse.workflows import metrics

        provide("database", metrics.read)
