"""Settings of the benchmarks: those of the product as it is developed, with an app of their own beside it."""

from smartcourse.settings import development

globals().update({name: value for name, value in vars(development).items() if name.isupper()})

INSTALLED_APPS = [*development.INSTALLED_APPS, "benchmarks.lamps"]
