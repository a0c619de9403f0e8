"""How lists of enrollments are narrowed."""

from __future__ import annotations

import django_filters

from enrollments.models import Enrollment, EnrollmentStatus


class EnrollmentFilter(django_filters.FilterSet):
    """`?status=`."""

    status = django_filters.ChoiceFilter(choices=EnrollmentStatus.choices)

    class Meta:
        model = Enrollment
        fields = ["status"]
