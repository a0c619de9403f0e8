"""Mail, by whichever Django backend the settings name."""

from __future__ import annotations

from email.utils import formataddr

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

from notifications.channels import Words
from notifications.kinds import KINDS
from notifications.models import Message, MessageType


class MailChannel:
    """Sends text with an HTML rendering of the same words to the address that its kind names."""

    def send(self, message: Message, words: Words) -> None:
        address = KINDS[MessageType(message.type)].address(message)
        mail = EmailMultiAlternatives(
            subject=" ".join(words.title.split()),
            body=words.body,
            to=[formataddr((address.full_name, address.email))],
            headers={
                # The row's own id: a mail server that is handed the same message twice can tell (RFC 5322 §3.6.4).
                "Message-ID": f"<{message.pk}@{settings.MAIL_DOMAIN}>",
                "Auto-Submitted": "auto-generated",
            },
        )
        page = render_to_string("mail/layout.html", {"words": words, "public_url": settings.PUBLIC_URL})
        mail.attach_alternative(page, "text/html")
        mail.send()
