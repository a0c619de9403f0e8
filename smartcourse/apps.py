from importlib import import_module
from pkgutil import iter_modules

from django.apps import AppConfig


class SmartCourseConfig(AppConfig):
    """The top of the house: registers the processes once every context below is ready."""

    name = "smartcourse"

    def ready(self) -> None:
        from smartcourse import processes

        for module in iter_modules(processes.__path__):
            if not module.ispkg:
                import_module(f"smartcourse.processes.{module.name}")
