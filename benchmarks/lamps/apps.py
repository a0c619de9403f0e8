from django.apps import AppConfig


class LampsConfig(AppConfig):
    name = "benchmarks.lamps"
    label = "lamps"

    def ready(self) -> None:
        from benchmarks.lamps import receivers  # noqa: F401 - it subscribes
