"""Cloud Storage Security: proactive notifications of Antivirus and DataDefender for Amazon S3, through an SNS topic.

Its page: "Proactive Notifications"; AWS's: "Parsing Amazon SNS message formats". The body of a notification is not
documented, so nothing of it is relied on: what decides stands in SNS's envelope and its message attributes.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from msgspec import Struct

from trailhook.audit_event import NO_REASON, AuditEvent, Failure, UserIdentity
from trailhook.body import open_body
from trailhook.delivery import Delivery, PartnerEvent
from trailhook.errors import MalformedDelivery, UnmappableEvent
from trailhook.fitting import fit_audit_event
from trailhook.https import CONNECT_SECONDS, READ_SECONDS, Fetcher, HttpsFetcher
from trailhook.json_text import JsonText
from trailhook.members import text_at
from trailhook.partner import Options, Partner
from trailhook.proofs import StandardWebhooksProof
from trailhook.redaction import Redaction
from trailhook.sns import NOTIFICATION, SIGNED_MEMBERS, SnsProof, confirm_subscription
from trailhook.sns_certificates import SigningCertificates
from trailhook.timestamps import parse_time

NAME = "cloudstoragesecurity"
EVENT_SOURCE = "cloudstoragesec.com"
SERVICE = UserIdentity("Service", "CloudStorageSecurity")
"""A notification names nobody: it tells what the product found or did by itself."""

ATTRIBUTES = "MessageAttributes"
"""The only member that SNS does not sign and that may name an event and its result."""

HARMLESS = frozenset({"clean"})
"""The one documented result (of Clean, Infected, Error, Unscannable) that is no finding, in lower case."""

OF_THE_DELIVERY = frozenset(
    {"Signature", "SignatureVersion", "SigningCertURL", "SubscribeURL", "Token", "UnsubscribeURL"}
)
"""Not recorded: they may differ between two deliveries of one message, and whoever knows one of the last three can end
or renew the subscription."""


def partner(options: Options, fetcher: Fetcher | None = None) -> Partner:
    """The partner; `fetcher` is where SNS's certificates come from, by default SNS."""
    source = fetcher or HttpsFetcher()
    sns = SnsProof(SigningCertificates(source))
    return Partner(
        name=NAME,
        source="CloudStorageSecurityConsole",
        # Standard Webhooks first: it needs nothing from elsewhere to know what was sent again from quarantine.
        proofs=(StandardWebhooksProof(), sns),
        handshake=partial(confirm_subscription, proof=sns, fetcher=source),
        events=events,
        to_audit_event=partial(to_audit_event, redaction=options.redaction),
        uid=uid,
        delivery_id="x-amz-sns-message-id",
        fetch_seconds=CONNECT_SECONDS + READ_SECONDS,
    )


def events(delivery: Delivery) -> Iterator[PartnerEvent]:
    """SNS posts one message at a time; a forwarder may post an array, or one a line."""
    for record in JsonText(open_body(delivery), element=delivery.element).records():
        yield PartnerEvent(delivery, record.value, record.original, record.fault)


def uid(event: PartnerEvent) -> str | None:
    return text_at(event.value, "MessageId")


def to_audit_event(event: PartnerEvent, *, redaction: Redaction) -> AuditEvent:
    message = event.value
    if not isinstance(message, Mapping):
        raise UnmappableEvent("NotAnObject", "A message of SNS is a JSON object")
    kind, message_id = text_at(message, "Type"), uid(event)
    if kind is None or kind not in SIGNED_MEMBERS or message_id is None:
        raise UnmappableEvent("UnknownForm", "A message of SNS has a Type and a MessageId; raw delivery has neither")
    told = _parsed(message.get("Message"))
    notification = result = None
    if kind == NOTIFICATION:
        # SNS's own messages have no attributes: what stands in some was added, and must not make them a notification.
        notification, result = (_said(message, told, name) for name in ("notificationType", "scanResult"))
    name = ":".join(said.text for said in (notification or _Said(kind), result) if said)
    parameters = {member: value for member, value in message.items() if member not in OF_THE_DELIVERY}
    # Only so many members are named, and whoever adds some must not keep ATTRIBUTES from being one of them.
    others = sorted(parameters.keys() - set(SIGNED_MEMBERS[kind]), key=lambda member: (member != ATTRIBUTES, member))
    unsigned = [f"requestParameters.{member}" for member in others]
    if kind == NOTIFICATION and not all(said and said.signed for said in (notification, result)):
        # Whoever can alter attributes can also take them away, so what is missing is no more signed than what is there.
        unsigned = ["eventName", "errorCode", *unsigned]
    return fit_audit_event(
        event,
        key=(NAME, text_at(message, "TopicArn") or "", message_id),
        uid=message_id,
        name=name,
        source=EVENT_SOURCE,
        time=parse_time(message.get("Timestamp"), "Timestamp"),
        identity=SERVICE,
        failure=Failure(result.text, NO_REASON) if result and result.text.lower() not in HARMLESS else None,
        request_parameters={**parameters, "Message": told} if "Message" in parameters else parameters,
        unsigned=unsigned if event.delivery.proof == SnsProof.name else (),
        redaction=redaction,
    )


class _Said(Struct, frozen=True):
    """A word of the message, and whether SNS's signature covers it."""

    text: str
    signed: bool = True


def _said(message: Mapping[str, Any], told: Any, name: str) -> _Said | None:
    """A word of the notification itself or, where no signature covers it, of the message's attributes."""
    if text := text_at(told, name):
        return _Said(text)
    text = text_at(message, ATTRIBUTES, name, "Value")
    return _Said(text, signed=False) if text else None


def _parsed(text: Any) -> Any:
    """What the message says: as JSON where it is an object or array, so that secrets in it are found; else as it is."""
    if not isinstance(text, str) or not text.lstrip().startswith(("{", "[")):
        return text
    try:
        record = JsonText(text.encode()).document()
    except (MalformedDelivery, UnicodeEncodeError):
        return text  # With half a surrogate pair in it, the event is refused as a whole.
    if record.fault:
        raise UnmappableEvent(record.fault.code, f"In Message: {record.fault.reason}")
    return record.value
