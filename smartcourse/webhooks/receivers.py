"""Every fact that some endpoint wants becomes what it is owed."""

from __future__ import annotations

from smartcourse.events.facts import Fact
from smartcourse.events.subscriptions import EVERY_FACT, subscribe
from smartcourse.webhooks import services


@subscribe(EVERY_FACT, queue="webhooks", wanted=services.wanted_types)
def tell_endpoints(fact: Fact) -> None:
    services.fan_out(fact=fact)
