"""The forms of the pages; their fields are those of the API, so that both take the same."""

from __future__ import annotations

from typing import Any

from django import forms

from accounts.models import validate_address
from smartcourse.api.middleware import is_storable


class AddressForm(forms.Form):
    """The address of an account, or of none."""

    email = forms.EmailField(
        label="E-mail address",
        max_length=254,
        validators=[validate_address],
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}),
    )


class NewPasswordForm(forms.Form):
    """A new password, twice, for it cannot be read while it is typed."""

    token = forms.CharField(max_length=200, widget=forms.HiddenInput)
    new_password = forms.CharField(
        label="New password",
        min_length=8,
        max_length=128,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password", "autofocus": True}),
        help_text="At least 8 characters; several words make a good one.",
    )
    again = forms.CharField(
        label="The same once more",
        max_length=128,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        new, again = cleaned.get("new_password"), cleaned.get("again")
        if new is not None and not is_storable(new):
            self.add_error("new_password", "This is not valid text.")
        if new is not None and again is not None and new != again:
            self.add_error("again", "These two are not the same.")
        return cleaned


class CodeForm(forms.Form):
    """A code, as it was read from an app, a mail or a piece of paper."""

    code = forms.CharField(
        max_length=40,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "one-time-code",
                "autofocus": True,
                "autocapitalize": "none",
                "spellcheck": "false",
            }
        ),
    )

    def __init__(self, data: Any = None, *, label: str, digits: bool = True) -> None:
        super().__init__(data)
        self.fields["code"].label = label
        if digits:
            self.fields["code"].widget.attrs["inputmode"] = "numeric"
