from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "smartcourse.api"
    label = "api"
