"""People in the back office, for staff; their roles, for administrators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.forms import AdminPasswordChangeForm
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from accounts import policies, services
from accounts.admin.acting import acting
from accounts.models import InstructorProfile, Role, Session, User
from smartcourse.backoffice.admin import ReadOnlyAdmin, ReadOnlyInline
from smartcourse.backoffice.reasons import reason_for
from smartcourse.errors import DomainError

# Roles are ours to give, by a service that keeps everything in step; Django's own form for groups would go past it.
admin.site.unregister(Group)


class PasswordForm(AdminPasswordChangeForm):
    """Changing one's own password in the back office; like everywhere else, it ends one's API sessions."""

    def clean_old_password(self) -> str:
        try:
            attempt = services.begin_attempt(
                email=self.user.email, place=services.SIGNED_IN, user_id=self.user.pk, at=timezone.now()
            )
        except services.LockedOut as error:
            raise ValidationError(error.detail, code=error.code) from error
        try:
            password: str = super().clean_old_password()
        except ValidationError:
            attempt.failed()
            raise
        attempt.succeeded()
        return password

    def save(self, commit: bool = True) -> User:
        user: User = self.user
        services.set_password(user_id=user.pk, password=self.cleaned_data["new_password1"], at=timezone.now())
        user.refresh_from_db()
        return user


# The default site is ours, by `smartcourse.backoffice.apps.AdminSiteConfig`.
setattr(admin.site, "password_form", PasswordForm)  # noqa: B010 - a lazy object; its type knows nothing of ours


class SessionInline(ReadOnlyInline):
    model = Session
    fields = ("user_agent", "address", "created_at", "last_used_at", "revoked_at")


class InstructorProfileInline(ReadOnlyInline):
    model = InstructorProfile
    fields = ("headline", "bio", "total_students")


@admin.register(User)
class UserAdmin(ReadOnlyAdmin):
    """Who is here, as what, and since when."""

    list_display = (
        "full_name",
        "email",
        "shown_roles",
        "is_active",
        "is_verified",
        "created_at",
        "last_login",
    )
    list_filter = ("groups", "is_active", "is_verified")
    search_fields = ("full_name", "email", "=id")
    fields = (
        "full_name",
        "email",
        "phone",
        "birth_date",
        "shown_roles",
        "is_active",
        "is_verified",
        "shown_factors",
        "created_at",
        "last_login",
        "erased_at",
    )
    inlines = (InstructorProfileInline, SessionInline)
    object_actions: ClassVar[dict[str, str]] = {
        "unlock": "Unlock signing in",
        "reset_second_factors": "Reset second factors",
        "erase": "Erase…",
    }
    actions = (
        "deactivate",
        "reactivate",
        "unlock",
        "reset_second_factors",
        "make_instructor",
        "make_staff",
        "make_admin",
        "take_instructor",
        "take_staff",
        "take_admin",
        "erase",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).prefetch_related("groups")

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        # `?password__startswith=` would tell a hash letter by letter (Django's own UserAdmin refuses it likewise).
        return not lookup.startswith("password") and super().lookup_allowed(lookup, value, request)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions = super().get_actions(request)
        if policies.is_administrator(request.user):
            return actions
        return {name: action for name, action in actions.items() if name == "make_instructor"}

    def offers(self, action: str, obj: Model) -> bool:
        return not (isinstance(obj, User) and obj.erased_at)

    @admin.display(description="Roles")
    def shown_roles(self, user: User) -> str:
        return ", ".join(user.roles)

    @admin.action(description="Deactivate the selected accounts")
    def deactivate(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        now = timezone.now()
        self._for_each(
            request,
            queryset,
            lambda user: services.deactivate_user(user_id=user.pk, by=acting(request), at=now),
        )

    @admin.action(description="Reactivate the selected accounts")
    def reactivate(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._for_each(
            request, queryset, lambda user: services.reactivate_user(user_id=user.pk, by=acting(request))
        )

    @admin.action(description="Unlock signing in to the selected accounts")
    def unlock(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._for_each(request, queryset, lambda user: services.unlock_account(email=user.email))

    @admin.display(description="Second factors")
    def shown_factors(self, user: User) -> str:
        return ", ".join(method.label for method in services.methods_of(user_id=user.pk)) or "none"

    @admin.action(description="Reset the second factors of the selected people")
    def reset_second_factors(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Ask for the reason first; it stands in the person's history beside who did it."""
        reason = request.POST.get("reason", "").strip()[:500]
        if not reason:
            return render(request, "admin/reset_second_factors.html", self._about_reset(request, queryset))
        now = timezone.now()

        def reset(user: User) -> None:
            services.reset_second_factors(user_id=user.pk, by=acting(request), reason=reason, at=now)
            self.log_change(request, user, f"Reset the second factors: {reason}")

        self._for_each(request, queryset, reset)
        return None

    def _about_reset(self, request: HttpRequest, queryset: QuerySet[Any]) -> dict[str, Any]:
        return {
            **self.admin_site.each_context(request),
            "title": "Reset second factors",
            "opts": self.opts,
            "people": queryset,
            "is_missing": "reason" in request.POST,
            "from_object": request.POST.get("_from_object", ""),
        }

    @admin.action(description="Make the selected people instructors")
    def make_instructor(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._change_role(request, queryset, Role.INSTRUCTOR, services.grant_role)

    @admin.action(description="Make the selected people staff")
    def make_staff(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._change_role(request, queryset, Role.STAFF, services.grant_role)

    @admin.action(description="Make the selected people administrators")
    def make_admin(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._change_role(request, queryset, Role.ADMIN, services.grant_role)

    @admin.action(description="Take the role instructor from the selected people")
    def take_instructor(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._change_role(request, queryset, Role.INSTRUCTOR, services.revoke_role)

    @admin.action(description="Take the role staff from the selected people")
    def take_staff(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._change_role(request, queryset, Role.STAFF, services.revoke_role)

    @admin.action(description="Take the role administrator from the selected people")
    def take_admin(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._change_role(request, queryset, Role.ADMIN, services.revoke_role)

    @admin.action(description="Erase the selected people for good")
    def erase(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        reason = reason_for(self, request, queryset, action="erase", question="Erase these people for good")
        if isinstance(reason, HttpResponse):
            return reason
        by, now = acting(request), timezone.now()
        self._for_each(
            request,
            queryset,
            lambda user: services.erase_user(user_id=user.pk, by=by, reason=reason, at=now),
        )
        return None

    def _change_role(
        self, request: HttpRequest, queryset: QuerySet[Any], role: Role, deed: Callable[..., User]
    ) -> None:
        self._for_each(request, queryset, lambda user: deed(user_id=user.pk, role=role, by=acting(request)))

    def _for_each(
        self, request: HttpRequest, queryset: QuerySet[Any], deed: Callable[[User], object]
    ) -> None:
        """Do the deed for each person, and say for how many it was done and what kept it from the others."""
        done = 0
        for user in queryset:
            try:
                deed(user)
                done += 1
            except DomainError as error:
                self.message_user(request, f"{user.full_name}: {error.detail}", messages.ERROR)
        if done:
            self.message_user(request, f"Done for {done} people.", messages.SUCCESS)
