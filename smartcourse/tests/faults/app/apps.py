from django.apps import AppConfig


class FaultsConfig(AppConfig):
    """Test facts, subscribers that would show a double effect, and steps that can be stopped where it hurts."""

    name = "smartcourse.tests.faults.app"
    label = "faults"

    def ready(self) -> None:
        from smartcourse.tests.faults.app import receivers  # noqa: F401 - they subscribe as they are loaded
        from smartcourse.tests.faults.app.breakpoints import wrap_answers, wrap_beat, wrap_processes

        wrap_processes()
        wrap_beat()
        wrap_answers()
