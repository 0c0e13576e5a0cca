"""GitHub: organisation and repository webhooks, and audit-log entries that a forwarder or GitHub's streaming posts.

GitHub's pages: "Validating webhook deliveries", "Webhook events and payloads", "Streaming the audit log for your
enterprise" (whose Splunk destination speaks HEC), "Audit log events for your enterprise", "Audit log events for
agents", "Security log events", "Authenticating with a GitHub App on behalf of a user".
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import partial
from http import HTTPStatus
from typing import Any

from trailhook.audit_event import NO_REASON, AuditEvent, Failure, UserIdentity
from trailhook.body import form_field, open_body
from trailhook.delivery import Delivery, PartnerEvent
from trailhook.errors import UnmappableEvent
from trailhook.event_id import content_digest
from trailhook.fitting import fit_audit_event
from trailhook.gateway import Response
from trailhook.json_text import JsonText
from trailhook.members import object_at, text_at, text_of
from trailhook.partner import Options, Partner, accepted
from trailhook.proofs import HmacProof, Proof, StandardWebhooksProof, TokenProof
from trailhook.redaction import Redaction
from trailhook.timestamps import parse_time

NAME = "github"
EVENT_SOURCE = "github.com"
HEC_PATHS = frozenset({"/services/collector", "/services/collector/event", "/services/collector/event/1.0"})
_TIMES = ("@timestamp", "created_at")
_WHO = (
    "actor",
    "actor_id",
    "external_identity_nameid",
    "external_identity_username",
    "business",
    "org",
    "programmatic_access_type",  # of an app that acts on a user's behalf, whose actor is that user
)
_ON_WHOSE_BEHALF = ("user", "user_id", "agent_session_id")
"""Of an entry whose actor is an AI agent: who had it act, and in which session."""
_REFUSED = re.compile(r"[4-9][0-9]{2}")
"""An HTTP status that says that a request was refused or failed."""
_NOBODY = "ghost"
"""The login of the account that GitHub gives to a webhook as its sender if it does not know who caused it."""
_ITSELF = "github"
"""The login of GitHub's own organization, which acts where GitHub does something by itself."""
_DEPLOY_KEY = "deploy_key"
"""What an entry of the log names as the actor where a deploy key was used. No person has that login without an id."""
_UNSUCCESSFUL = frozenset({"failure", "timed_out", "startup_failure"})
"""How a workflow ends that failed to do its work. One that was cancelled or skipped was not meant to do it."""
_FAILED = re.compile(r"(^|_)(failed(_|$)|failure$)|^rejected_ref_update$")
"""How an action says that something did not work, or that GitHub refused it. An action by which a person
rejects something did work."""

_SIGNATURE = HmacProof("github-signature", "x-hub-signature-256", prefix="sha256=")
_HEC = TokenProof("splunk-hec", prefix="Splunk ", paths=HEC_PATHS)


def partner(options: Options) -> Partner:
    """GitHub as the operator has set it up; HEC only where it is asked for."""
    proofs: list[Proof] = [_SIGNATURE, StandardWebhooksProof()]
    return Partner(
        name=NAME,
        source="GitHub",
        proofs=[*proofs, _HEC] if options.accept_hec else proofs,
        paths=HEC_PATHS if options.accept_hec else frozenset(),
        events=events,
        to_audit_event=partial(to_audit_event, redaction=options.redaction),
        uid=uid,
        headers=frozenset({"x-github-event", "x-github-delivery", "x-github-hook-id"}),
        delivery_id="x-github-delivery",
        acknowledge=acknowledge,
    )


def acknowledge(delivery: Delivery) -> Response:
    """202, or for HEC what its clients read: "Format events for HTTP Event Collector", Splunk."""
    if delivery.proof == _HEC.name:
        return Response.json(HTTPStatus.OK, {"text": "Success", "code": 0})
    return accepted(delivery)


def events(delivery: Delivery) -> Iterator[PartnerEvent]:
    """A webhook is one event; audit-log entries come one by one, as an array, as NDJSON or wrapped for HEC."""
    body = open_body(delivery)
    is_form = body.startswith(b"payload=") and not delivery.element
    text = JsonText(form_field(body, "payload") if is_form else body, element=delivery.element)
    # GitHub puts one object into a form. Several could not be told apart later, for what is kept is the whole form.
    for record in [text.document()] if is_form else text.records():
        entry = _unwrapped(record.value)
        value = record.value if _is_webhook(delivery, entry) else entry
        original = delivery.body if is_form else record.original
        yield PartnerEvent(delivery, value, original, record.fault)


def _unwrapped(value: Any) -> Any:
    """What HEC's wrapper holds. A bare entry may have an `event` too, but it has an action beside it."""
    wrapped = isinstance(value, dict) and "event" in value and not text_at(value, "action")
    return object_at(value, "event") or value if wrapped else value


def uid(event: PartnerEvent) -> str | None:
    """GitHub's own id: a webhook's is the delivery's GUID, an audit-log entry's is its `_document_id`, which Enterprise
    Server's log has below `data`.
    """
    if _is_webhook(event.delivery, event.value):
        return event.delivery.header("x-github-delivery") or None
    return _document_id(event.value) if isinstance(event.value, dict) else None


def _document_id(entry: Mapping[str, Any]) -> str | None:
    return text_of(entry.get("_document_id")) or text_at(entry, "data", "_document_id")


def to_audit_event(event: PartnerEvent, *, redaction: Redaction) -> AuditEvent:
    if not isinstance(event.value, dict):
        raise UnmappableEvent("NotAnObject", "A GitHub event is a JSON object")
    mapping = _from_webhook if _is_webhook(event.delivery, event.value) else _from_audit_entry
    return mapping(event, event.value, redaction)


def _is_webhook(delivery: Delivery, value: Any) -> bool:
    return bool(delivery.headers.get("x-github-event")) and not _is_of_the_log(value)


def _is_of_the_log(value: Any) -> bool:
    """Whether it has what no webhook has. Then it is an entry of the audit log, whatever an unsigned header says."""
    if not isinstance(value, dict):
        return False
    # The only webhooks with a time of their own are those of a status, and they have a sender, too.
    is_timed = "@timestamp" in value or ("created_at" in value and "sender" not in value)
    return is_timed or _document_id(value) is not None


def _from_webhook(event: PartnerEvent, body: Mapping[str, Any], redaction: Redaction) -> AuditEvent:
    delivery = event.delivery
    digest = hashlib.sha256(event.original).hexdigest()
    guid = uid(event) or digest
    action = text_at(body, "action")
    kind = delivery.header("x-github-event")
    return fit_audit_event(
        event,
        # The GUID is in a header that no signature covers, so the body is part of the identity: a copied GUID must not
        # hide another event.
        key=(NAME, "webhook", guid, digest),
        uid=guid,
        name=f"{kind}.{action}" if action else kind,
        source=EVENT_SOURCE,
        time=None,
        identity=_sender(body, redaction),
        request_parameters=body,
        unsigned=[] if "x-github-event" in delivery.signed else ["eventName", "UID"],
        redaction=redaction,
    )


def _sender(body: Mapping[str, Any], redaction: Redaction) -> UserIdentity:
    """Who caused a webhook. Some have no sender: then an app's installation acts, or GitHub itself."""
    sender = object_at(body, "sender")
    if text_at(sender, "login") == _NOBODY:
        return UserIdentity("Service", EVENT_SOURCE)
    if principal := _id(sender, "id") or text_at(sender, "login"):
        shown = object_at(redaction.shown(body), "sender")
        details = {key: shown[key] for key in ("login", "id", "type") if shown.get(key)}
        # GitHub says if a branch or tag was made or deleted with a deploy key. The sender then only added that key.
        is_a_key = (text_at(body, "pusher_type") or "user") != "user"
        return UserIdentity("DeployKey" if is_a_key else text_at(sender, "type") or "User", principal, details)
    if principal := text_at(body, "installation", "id"):
        return UserIdentity("Installation", principal)
    return UserIdentity("Service", EVENT_SOURCE)


def _from_audit_entry(event: PartnerEvent, entry: Mapping[str, Any], redaction: Redaction) -> AuditEvent:
    action = text_of(entry.get("action"))
    if action is None:
        raise UnmappableEvent("MissingField", "A GitHub audit-log entry has an action; X-GitHub-Event marks a webhook")
    document_id = _document_id(entry) or content_digest(entry)
    return fit_audit_event(
        event,
        key=(NAME, "audit-log", document_id),
        uid=document_id,
        name=action,
        source=EVENT_SOURCE,
        time=_time(entry),
        identity=_actor(entry),
        user_agent=text_of(entry.get("user_agent")),
        source_ip=text_of(entry.get("actor_ip")),
        failure=_failure(action, entry),
        request_parameters=entry,
        redaction=redaction,
    )


def _time(entry: Mapping[str, Any]) -> datetime:
    for field in _TIMES:
        if (value := entry.get(field)) is not None:
            return parse_time(value, field)
    return parse_time(None, " or ".join(_TIMES))


def _failure(action: str, entry: Mapping[str, Any]) -> Failure | None:
    """GitHub tells of no outcome but an API request's status and a workflow's conclusion. What else failed has an
    action of its own.
    """
    status = text_of(entry.get("status_code"))
    if status and _REFUSED.fullmatch(status):
        return Failure(status, NO_REASON)
    conclusion = text_of(entry.get("conclusion"))
    if conclusion in _UNSUCCESSFUL:
        return Failure(conclusion, NO_REASON)
    done = action.rpartition(".")[2]
    return Failure(done, NO_REASON) if _FAILED.search(done) else None


def _actor(entry: Mapping[str, Any]) -> UserIdentity:
    """Who is behind an entry. Workflow and git entries may have no actor; then the enterprise or organization is."""
    is_agent = entry.get("actor_is_agent") is True
    who = (*_WHO, *_ON_WHOSE_BEHALF) if is_agent else _WHO
    details = {key: value for key in who if (value := entry.get(key))}
    actor = text_of(entry.get("actor"))
    if principal := _id(entry, "actor_id") or actor:
        kind = "Agent" if is_agent else _kind(entry, actor)
        return UserIdentity(kind, principal, details)
    for field, kind in (("business", "Enterprise"), ("org", "Organization")):
        if principal := _only(entry.get(field)):
            return UserIdentity(kind, principal, details)
    return UserIdentity("Service", EVENT_SOURCE, details)


def _kind(entry: Mapping[str, Any], actor: str | None) -> str:
    """What an actor is that has no type of its own. Users and organizations do not share ids."""
    # Brackets cannot be part of a person's login; older entries say no more than that.
    if entry.get("actor_is_bot") is True or (actor or "").endswith("[bot]"):
        return "Bot"
    actor_id = _id(entry, "actor_id")
    if actor == _ITSELF or (actor_id and actor_id == _id(entry, "org_id")):
        return "Organization"
    return "DeployKey" if actor == _DEPLOY_KEY and not actor_id else "User"


def _only(value: Any) -> str | None:
    """A name, also as an array of one: some entries list the organisations, and several are no one's name."""
    names = value if isinstance(value, list) else [value]
    return text_of(names[0]) if len(names) == 1 else None


def _id(value: Mapping[str, Any], name: str) -> str | None:
    """An id as text; GitHub writes 0 for nobody."""
    text = text_of(value.get(name))
    return None if text == "0" else text
