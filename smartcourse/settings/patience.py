"""How long the platform waits before it tries again, takes over, or gives up; tests and operators may set each."""

from __future__ import annotations

from smartcourse.settings.environment import at_least, env


def _seconds(name: str, default: str) -> tuple[float, ...]:
    return tuple(float(word) for word in env.str(name, default=default).split(","))


RELAY_INTERVAL_SECONDS = env.float("RELAY_INTERVAL_SECONDS", default=1.0)
"""The relay looks this often, woken or not; where the active one ended, another takes over within as long."""
RELAY_TAKEOVER_SECONDS = env.float("RELAY_TAKEOVER_SECONDS", default=5.0)
"""A relay, or a beat with a claim, that the database has not heard of for this long has lost its place to another."""
SWEEP_INTERVAL_SECONDS = env.float("SWEEP_INTERVAL_SECONDS", default=5.0)
"""How often beat has the sweepers look for what a lost message left lying."""

DELIVERY_RETRY_SECONDS = _seconds("DELIVERY_RETRY_SECONDS", "60,300,900")
"""A subscriber that failed is tried again after these (and some jitter), then its delivery is parked."""
DELIVERY_REDISPATCH_SECONDS = env.float("DELIVERY_REDISPATCH_SECONDS", default=15.0)
"""A delivery whose message was lost is sent again after this."""
DELIVERY_BATCH = at_least(1, "DELIVERY_BATCH", default=25)
"""So many deliveries to one subscriber travel in one message at most, where they come in heaps."""
OUTBOX_ARCHIVE_DAYS = env.float("OUTBOX_ARCHIVE_DAYS", default=7.0)
"""Relayed facts leave the outbox for its archive after this, if every subscriber has handled them."""
ARCHIVE_KEEP_DAYS = env.float("ARCHIVE_KEEP_DAYS", default=365.0)
"""And are deleted from the archive after this."""

WORKFLOW_RETRY_SECONDS = _seconds("WORKFLOW_RETRY_SECONDS", "10,60,300")
"""A step that failed is tried again after these, then the process is undone."""
WORKFLOW_LEASE_SECONDS = env.float("WORKFLOW_LEASE_SECONDS", default=20.0)
"""A worker that is silent for this long has lost its run to the next one."""
WORKFLOW_REDISPATCH_SECONDS = env.float("WORKFLOW_REDISPATCH_SECONDS", default=5.0)
"""A run whose message was lost is woken after this."""

MESSAGE_RETRY_SECONDS = _seconds("MESSAGE_RETRY_SECONDS", "60,300,900")
"""A mail that did not leave is sent again after these, then it has failed."""
MESSAGE_REDISPATCH_SECONDS = env.float("MESSAGE_REDISPATCH_SECONDS", default=20.0)
"""A mail whose task message was lost is taken up again after this."""

TASK_RETRY_SECONDS = _seconds("TASK_RETRY_SECONDS", "60,300,900")
"""A task that raised is tried again after these (and some jitter), then it is a dead letter."""
TASK_RETRY_JITTER = env.float("TASK_RETRY_JITTER", default=0.25)
"""How much longer a retry may wait, as a share of it: what failed together need not come back together."""
BROKER_TIMEOUT_SECONDS = env.float("BROKER_TIMEOUT_SECONDS", default=0.8)
"""Connecting to the broker, or its answer to a message, may hold up a request for so long, twice at most."""
BROKER_PAUSE_SECONDS = env.float("BROKER_PAUSE_SECONDS", default=5.0)
"""A broker that did not answer is left alone for this; what would have been sent is the sweepers'."""
BROKER_RECONNECT_SECONDS = env.float("BROKER_RECONNECT_SECONDS", default=2.0)
"""How often a worker asks whether a broker that went away is back."""
COLLECT_DEAD_LETTERS_SECONDS = env.float("COLLECT_DEAD_LETTERS_SECONDS", default=10.0)
"""How often the broker's queue of the dead is emptied into rows."""
SCHEDULED_RUN_KEEP_DAYS = env.float("SCHEDULED_RUN_KEEP_DAYS", default=7.0)
"""Claims of beat are deleted after this."""
WEB_DRAIN_SECONDS = env.float("WEB_DRAIN_SECONDS", default=5.0)
"""A web server that is asked to end says that it is not ready and serves on for this; balancers must ask more often."""
WEBHOOK_DEADLINE_SECONDS = env.float("WEBHOOK_DEADLINE_SECONDS", default=10.0)
"""An attempt at a webhook is over after this, whatever the receiver is doing."""
WEBHOOK_LEASE_SECONDS = env.float("WEBHOOK_LEASE_SECONDS", default=30.0)
"""A worker that has not told of its attempt after this is dead, and another makes it again; more than the deadline."""
WEBHOOK_RETRY_SECONDS = _seconds("WEBHOOK_RETRY_SECONDS", "5,300,1800,7200,18000,36000,36000")
"""A webhook that was not taken is sent again after these (and some jitter), then it has failed."""
WEBHOOK_REST_SECONDS = env.float("WEBHOOK_REST_SECONDS", default=60.0)
"""An endpoint that failed several times in a row is left alone for this, then tried by one delivery."""
WEBHOOK_DISABLE_AFTER_SECONDS = env.float("WEBHOOK_DISABLE_AFTER_SECONDS", default=5 * 24 * 3600.0)
"""An endpoint that has taken nothing since its first failure so long ago is disabled."""
WEBHOOK_ROTATION_SECONDS = env.float("WEBHOOK_ROTATION_SECONDS", default=24 * 3600.0)
"""A webhook's former secret goes on signing for this after a rotation."""
WEBHOOK_REDISPATCH_SECONDS = env.float("WEBHOOK_REDISPATCH_SECONDS", default=15.0)
"""An endpoint whose message was lost is woken again after this."""
WEBHOOK_KEEP_DAYS = env.float("WEBHOOK_KEEP_DAYS", default=30.0)
"""Deliveries of webhooks and their attempts are deleted after this."""
HTTP_TIMEOUT_SECONDS = env.float("HTTP_TIMEOUT_SECONDS", default=10.0)
"""A service that we call has this long for each try, to connect and to answer."""
HTTP_RETRY_SECONDS = _seconds("HTTP_RETRY_SECONDS", "1,2,4")
"""And is tried again after these, where the call may be repeated."""
HTTP_BREAKER_FAILURES = at_least(1, "HTTP_BREAKER_FAILURES", default=3)
"""After so many failures it is not called any more, if they came within the next."""
HTTP_BREAKER_WITHIN_SECONDS = env.float("HTTP_BREAKER_WITHIN_SECONDS", default=5.0)
HTTP_BREAKER_REST_SECONDS = env.float("HTTP_BREAKER_REST_SECONDS", default=60.0)
"""And so long; then one call tries whether it is back."""
