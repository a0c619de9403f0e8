"""The Celery application; every setting of it lives in `smartcourse.settings` under the prefix CELERY_."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smartcourse.settings.production")

app = Celery("smartcourse")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
