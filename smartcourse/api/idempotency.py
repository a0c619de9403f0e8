"""`Idempotency-Key`: a POST that is sent again is answered again, and done once.

After draft-ietf-httpapi-idempotency-key-header, with what Stripe's API has made customary. Effect and answer commit
together, in one transaction that holds an advisory lock of PostgreSQL for the key. That lock is the state "in flight":
it ends with the transaction, so a process that dies leaves neither a lock nor half an answer, and no lease has to run
out (docs/decisions/0015).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import connection, transaction
from django.db.models.functions import Now
from django.utils.datastructures import MultiValueDict
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from smartcourse.api.client import client_address
from smartcourse.api.models import RecordedAnswer
from smartcourse.errors import Conflict, FieldError, Invalid, RuleViolated

if TYPE_CHECKING:
    from smartcourse.api.viewsets import ContextViewSet

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
KEPT = timedelta(hours=24)
# Visible ASCII; the draft's structured string is the same between double quotes.
ACCEPTABLE_KEY = re.compile(r"[!#-\[\]-~]{1,255}")
# What a rule of the product refused stays refused by this key. A 400, 403 or 404 did not reach a rule: whoever mends
# the request may send it again, and 401, 429 and 5xx say nothing of the request at all.
RECORDED_REFUSALS = frozenset({409, 422})
RECORDED_HEADERS = ("Location",)
NONCE_BYTES = 12
PRUNE_BATCH = 1000

Handler = Callable[..., Any]


class KeyInvalid(Invalid):
    """The Idempotency-Key is no key."""

    code = "idempotency_key_invalid"
    message = "An Idempotency-Key is 1 to 255 visible ASCII characters, without quotes and backslashes."


class KeyReused(RuleViolated):
    """The key came with another request before."""

    code = "idempotency_key_reused"
    message = "This Idempotency-Key was sent with another request. Take a new key for a new request."


class RequestInProgress(Conflict):
    """The first request with this key is still being carried out."""

    code = "request_in_progress"
    message = "The first request with this Idempotency-Key is still being carried out. Ask again in a moment."
    transient = True


def key_of(request: Request) -> str | None:
    """Return the key that the request came with, None where there is none.

    Raises:
        KeyInvalid: it is empty, too long, or of other characters.
    """
    offered = request.headers.get(HEADER)
    if offered is None:
        return None
    bare = offered[1:-1] if len(offered) > 1 and offered[0] == offered[-1] == '"' else offered
    if not ACCEPTABLE_KEY.fullmatch(bare):
        raise KeyInvalid(errors=[FieldError(HEADER, KeyInvalid.code, KeyInvalid.message)])
    return bare


def once(view: ContextViewSet, handler: Handler, key: str) -> Handler:
    """Return the handler that does what this one does at most once a key of the caller, and repeats its answer.

    Raises (when called):
        RequestInProgress: the first request with the key has not ended.
        KeyReused: it was another request.
    """

    def act(request: Request, *args: Any, **kwargs: Any) -> Any:
        identity = f"{_caller_of(request)}\n{key}"
        record_id, asked = _keyed_hash("id", identity), fingerprint(request)
        with transaction.atomic():
            if not _lock(record_id):
                raise RequestInProgress
            known = RecordedAnswer.objects.filter(pk=record_id, created_at__gt=Now() - KEPT).first()
            if known is not None:
                if not hmac.compare_digest(known.fingerprint, asked):
                    raise KeyReused
                return _replay(known, identity)
            response = _carry_out(view, handler, request, *args, **kwargs)
            if _is_to_be_recorded(response):
                _record(record_id, asked, _seal(response, identity))
            return response

    return act


def _carry_out(view: ContextViewSet, handler: Handler, *args: Any, **kwargs: Any) -> Any:
    """Return the answer; of a refusal that is to be recorded, too, with nothing left of what was begun."""
    try:
        with transaction.atomic():
            return handler(*args, **kwargs)
    except (Conflict, RuleViolated) as error:
        if error.transient:
            raise
        return view.handle_exception(error)


def fingerprint(request: Request) -> str:
    """Return the keyed hash of what is asked for: method, address, and the body whatever the order of its members.

    Keyed, because a body may hold what can be guessed, such as a password.
    """
    words = json.dumps([request.method, request.get_full_path(), _canonical(request.data)], sort_keys=True)
    return _keyed_hash("request", words)


def _canonical(data: Any) -> Any:
    if isinstance(data, MultiValueDict):
        return {name: [_canonical(value) for value in data.getlist(name)] for name in data}
    if isinstance(data, UploadedFile):
        return [data.name, data.content_type, data.size, _digest_of(data)]
    return data


def _digest_of(upload: UploadedFile) -> str:
    digest = hashlib.sha256()
    for chunk in upload.chunks():
        digest.update(chunk)
    upload.seek(0)
    return digest.hexdigest()


def _caller_of(request: Request) -> str:
    if request.user and request.user.is_authenticated:
        return f"user:{request.user.pk}"
    # Strangers behind one address share a scope, but a replay also needs the whole of the same body.
    return f"address:{client_address(request)}"


def _lock(record_id: str) -> bool:
    """Take the key until the transaction ends; False where another transaction has it."""
    with connection.cursor() as cursor:
        # In a statement of its own: the next one sees whatever the former holder of the lock committed.
        number = int.from_bytes(bytes.fromhex(record_id)[:8], signed=True)
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [number])
        return bool(cursor.fetchone()[0])


def _is_to_be_recorded(response: Any) -> bool:
    if not isinstance(response, Response) or response.cookies:
        return False
    # What must not be kept on the way is not kept here either.
    if "no-store" in response.get("Cache-Control", ""):
        return False
    return response.status_code < 300 or response.status_code in RECORDED_REFUSALS


def _record(record_id: str, asked: str, answer: bytes) -> None:
    # One that is older than a day may still lie there.
    RecordedAnswer.objects.bulk_create(
        [RecordedAnswer(id=record_id, fingerprint=asked, answer=answer, created_at=Now())],
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=["fingerprint", "answer", "created_at"],
    )


def _replay(known: RecordedAnswer, identity: str) -> Response:
    status, headers, failed, content_type, body = _open(bytes(known.answer), identity)
    response = Response(body, status=status, headers={**headers, REPLAYED: "true"}, content_type=content_type)
    response.exception = failed
    return response


def _seal(response: Response, identity: str) -> bytes:
    """Encrypt the answer (AES-256-GCM) by a key that only this installation and who sent the key can make."""
    headers = {name: response[name] for name in RECORDED_HEADERS if response.has_header(name)}
    words = [response.status_code, headers, response.exception, response.content_type, response.data]
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + AESGCM(_sealing_key(identity)).encrypt(nonce, JSONRenderer().render(words), None)


def _open(sealed: bytes, identity: str) -> Any:
    nonce, sealed = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
    return json.loads(AESGCM(_sealing_key(identity)).decrypt(nonce, sealed, None))


def _sealing_key(identity: str) -> bytes:
    return bytes.fromhex(_keyed_hash("seal", identity))


def _keyed_hash(purpose: str, words: str) -> str:
    """Return HMAC-SHA-256 in hexadecimal; hashes of one purpose tell nothing about another's."""
    message = f"idempotency:{purpose}\n{words}".encode(errors="surrogatepass")
    return hmac.new(settings.SECRET_KEY.encode(), message, hashlib.sha256).hexdigest()


def prune_answers() -> int:
    """Delete the answers that are older than a day, and return how many there were."""
    gone, old = 0, RecordedAnswer.objects.filter(created_at__lt=Now() - KEPT)
    while batch := list(old.values_list("pk", flat=True)[:PRUNE_BATCH]):
        gone += RecordedAnswer.objects.filter(pk__in=batch).delete()[0]
    return gone
