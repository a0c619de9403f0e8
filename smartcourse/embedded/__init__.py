"""Real servers from wheels, and the supervisor behind `manage.py quickstart`; imports no Django, so that it
can run before settings load.
"""
