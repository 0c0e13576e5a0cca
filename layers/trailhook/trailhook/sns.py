"""Amazon SNS over HTTPS: what proves a message, and how a subscription is confirmed.

AWS pages: "Verifying the signatures of Amazon SNS messages", "Parsing Amazon SNS message formats", "Amazon SNS message
delivery retries". SNS signs members of the body, not its bytes, so here, and only here, a body is parsed before its
sender is proven, and no key may stand twice, so that the mapping reads the same.
"""

import base64
import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, ClassVar
from urllib.parse import urlencode

from trailhook.errors import BadRequest, FetchError, SecretStoreError, Unauthenticated, Unavailable
from trailhook.gateway import Request, Response
from trailhook.https import Fetcher
from trailhook.proofs import equal
from trailhook.signed_time import TIMESTAMP_TOLERANCE_SECONDS
from trailhook.sns_certificates import KEY_BITS, SigningCertificates, Topic

NOTIFICATION = "Notification"
CONFIRMATION = "SubscriptionConfirmation"
_ABOUT_SUBSCRIPTIONS = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
SIGNED_MEMBERS: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        NOTIFICATION: ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
        CONFIRMATION: _ABOUT_SUBSCRIPTIONS,
        "UnsubscribeConfirmation": _ABOUT_SUBSCRIPTIONS,
    }
)
"""The members that SNS signs, in its order. MessageAttributes are not among them."""

RETRY_SECONDS = 3600
"""SNS tries one message for an hour at most, whatever the delivery policy, and its Timestamp is that of publishing."""

_MAX_BODY = 2_000_000
"""SNS takes messages of 256 KiB, of which JSON's escapes make six times as much at most."""

_ONE_LINE = re.compile(r"[^\x00-\x1f\x7f]*")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z", re.ASCII)


class SnsProof:
    """SNS's signature over a message of the one topic whose ARN is the webhook secret.

    An ARN is no secret, so whatever follows a `#` in the webhook secret is not part of it: a key of its own for
    Standard Webhooks.
    """

    name = "sns"
    signed_headers: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, certificates: SigningCertificates) -> None:
        self._certificates = certificates

    def verify(self, request: Request, secret: str) -> None:
        """Raises Unavailable while SNS does not hand out its certificate, and SecretStoreError under a secret that is
        no topic's ARN: nothing genuine must be called forged.
        """
        if request.header("x-amz-sns-rawdelivery"):
            raise Unauthenticated("Raw message delivery carries no signature: switch it off for this subscription")
        message, topic = _message(request.body), topic_of(secret)
        given = message.get("TopicArn")
        if topic and not (isinstance(given, str) and equal(given, topic.arn)):
            raise Unauthenticated("TopicArn is not the webhook secret")
        text = signed_text(message)
        _check_age(message["Timestamp"], request.received_at)
        if topic is None:
            # Most likely it is still the one that the stack generated, and a 4xx would end SNS's tries.
            raise SecretStoreError(
                "The webhook secret is not the ARN of an SNS topic; put it with SetWebhookSecretCommand"
            )
        self._check_signature(message, text, topic, request.received_at)

    def _check_signature(self, message: Mapping[str, Any], text: bytes, topic: Topic, received_at: int) -> None:
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - takes long, and only this proof needs it
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15  # noqa: PLC0415
        from cryptography.hazmat.primitives.hashes import SHA1, SHA256  # noqa: PLC0415

        algorithms = {"1": SHA1, "2": SHA256}
        version, url = message.get("SignatureVersion"), message.get("SigningCertURL")
        if not isinstance(version, str) or version not in algorithms or not isinstance(url, str):
            raise Unauthenticated("SignatureVersion is neither 1 nor 2, or SigningCertURL is missing")
        signature = _decoded(message.get("Signature"))
        try:
            key = self._certificates.public_key(topic, url, received_at)
        except FetchError as error:
            raise Unavailable(str(error)) from error
        try:
            key.verify(signature, text, PKCS1v15(), algorithms[version]())  # SHA-1 is SNS's default
        except InvalidSignature as error:
            raise Unauthenticated("Signature does not match the message") from error


def topic_of(secret: str) -> Topic | None:
    """The topic that a webhook secret names, if it names one."""
    return Topic.of(secret.partition("#")[0])


def signed_text(message: Mapping[str, Any]) -> bytes:
    """What SNS signs: name and value of each member on lines of their own. Raises Unauthenticated for another form.

    Only Message may have lines of its own. Otherwise one message's text could be read as another message's.
    """
    kind = message.get("Type")
    if not isinstance(kind, str) or kind not in SIGNED_MEMBERS:
        raise Unauthenticated(f"Type is none of {', '.join(SIGNED_MEMBERS)}")
    text = ""
    for name in SIGNED_MEMBERS[kind]:
        value = message.get(name)
        if value is None and name == "Subject":
            continue
        if not isinstance(value, str) or (name != "Message" and not _ONE_LINE.fullmatch(value)):
            raise Unauthenticated(f"{name} is missing or not one line of text")
        text += f"{name}\n{value}\n"
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise Unauthenticated("The message holds half a surrogate pair") from error


def confirm_subscription(request: Request, secret: str, *, proof: SnsProof, fetcher: Fetcher) -> Response | None:
    """Answer SNS's question whether the endpoint wants the topic, by asking the topic's own host for it.

    The message's SubscribeURL is not visited: what it would ask is made of the token, for the topic that the webhook
    secret names and on that topic's host. Whatever SNS has not signed is a delivery like any other.
    """
    if CONFIRMATION.encode() not in request.body:
        return None
    try:
        proof.verify(request, secret)
    except (Unauthenticated, SecretStoreError):
        return None
    message, topic = _message(request.body), topic_of(secret)
    if topic is None or message["Type"] != CONFIRMATION:
        return None
    query = urlencode({"Action": "ConfirmSubscription", "TopicArn": topic.arn, "Token": message["Token"]})
    try:
        answer = fetcher.get(topic.host, f"/?{query}")
    except FetchError as error:
        raise Unavailable(str(error)) from error
    if answer.is_unavailable:
        raise Unavailable(f"{topic.host} answered HTTP status {answer.status}")
    if answer.status != 200:
        raise BadRequest(
            f"SNS does not confirm the subscription (HTTP status {answer.status}): request confirmation again"
        )
    if topic.arn.encode() not in answer.body:
        # The subscription's ARN begins with the topic's. SNS asks again after a 503, and never after a 2xx.
        raise Unavailable(f"{topic.host} did not confirm the subscription: its answer does not name the topic")
    return Response.json(HTTPStatus.OK, {"message": "Subscription confirmed", "request_id": request.request_id})


def _message(body: bytes) -> Mapping[str, Any]:
    """The one object that a body is. Raises Unauthenticated for everything else, also for what is ambiguous.

    All that SNS signs are texts, so numbers are not even converted: anybody may send them, and it takes long to see
    that each is exact.
    """
    if len(body) > _MAX_BODY:
        raise Unauthenticated("The body is larger than any message of SNS")
    try:
        value = _TEXTS.decode(body.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise Unauthenticated(f"The body is no message of SNS: {str(error)[:200]}") from error
    if not isinstance(value, Mapping):
        raise Unauthenticated("The body is no message of SNS")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("an object has the same key twice")
    return members


def _no_text(_number: str) -> bool:
    """Not None: a Subject that is missing is as good as null, but one that is a number is not."""
    return False


def _no_json(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


_TEXTS = json.JSONDecoder(object_pairs_hook=_unique, parse_float=_no_text, parse_int=_no_text, parse_constant=_no_json)


def _check_age(timestamp: str, received_at: int) -> None:
    try:
        published = datetime.fromisoformat(timestamp) if _TIME.fullmatch(timestamp) else None
    except ValueError:
        published = None
    if published is None:
        raise Unauthenticated("Timestamp is not a time as SNS writes it")
    age = received_at / 1000 - published.timestamp()
    if not -TIMESTAMP_TOLERANCE_SECONDS <= age <= RETRY_SECONDS + TIMESTAMP_TOLERANCE_SECONDS:
        raise Unauthenticated("Timestamp is too far from the time of receipt")


def _decoded(signature: Any) -> bytes:
    if not isinstance(signature, str) or not signature:
        raise Unauthenticated("Signature is missing")
    try:
        decoded = base64.b64decode(signature, validate=True)
    except ValueError as error:
        raise Unauthenticated("Signature is not base64") from error
    if len(decoded) * 8 < KEY_BITS:
        raise Unauthenticated("Signature is shorter than any of SNS's")
    return decoded
