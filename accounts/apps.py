from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        # Importing the receivers connects them.
        import accounts.receivers  # noqa: F401
