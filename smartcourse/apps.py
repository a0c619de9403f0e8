from importlib import import_module
from pkgutil import iter_modules

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class SmartCourseConfig(AppConfig):
    """The top of the house: registers what stands above the contexts once every one of them is ready."""

    name = "smartcourse"

    def ready(self) -> None:
        from smartcourse import processes
        from smartcourse.backoffice.home import provide_home
        from smartcourse.portal.backoffice import home_of

        # What each room holds of people; the processes export and erase by it.
        autodiscover_modules("privacy")
        for module in iter_modules(processes.__path__):
            if not module.ispkg:
                import_module(f"smartcourse.processes.{module.name}")
        provide_home(home_of)
