"""The WSGI entry, served by granian; without a word about the environment it is production."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smartcourse.settings.production")

application = get_wsgi_application()
