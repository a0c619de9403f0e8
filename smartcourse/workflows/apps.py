from django.apps import AppConfig


class WorkflowsConfig(AppConfig):
    name = "smartcourse.workflows"
    label = "workflows"
