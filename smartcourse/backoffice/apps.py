from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class BackofficeConfig(AppConfig):
    name = "smartcourse.backoffice"
    label = "backoffice"


class AdminSiteConfig(AdminConfig):
    """Django's admin, with our site as the default one."""

    default_site = "smartcourse.backoffice.site.BackofficeSite"
