"""Amazon SNS as the receiver sees it: messages signed with a key made here, apart from the code under test.

AWS pages: "Parsing Amazon SNS message formats", "Verifying the signatures of Amazon SNS messages".
"""

import base64
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from tests.receive.senders import NOW

REGION = "eu-central-1"
TOPIC = f"arn:aws:sns:{REGION}:111122223333:CloudStorageSecNotificationsTopic"
HOST = f"sns.{REGION}.amazonaws.com"
CERTIFICATE_URL = f"https://{HOST}/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem"
PUBLISHED = datetime.fromtimestamp(NOW, UTC)
TOKEN = "2336412f37fb687f5d51e6e241d09c805a5a57b30d712f794cc5f6a988666d92"
CONFIRM_URL = f"https://{HOST}/?Action=ConfirmSubscription&TopicArn={TOPIC.replace(':', '%3A')}&Token={TOKEN}"
CONFIRMED = f"""<ConfirmSubscriptionResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/">
  <ConfirmSubscriptionResult>
    <SubscriptionArn>{TOPIC}:c9135db0-26c4-47ec-8998-413945fb5a96</SubscriptionArn>
  </ConfirmSubscriptionResult>
</ConfirmSubscriptionResponse>""".encode()
"""SNS's answer to whoever confirms a subscription (AWS page: "ConfirmSubscription")."""

HEADERS = {
    "content-type": "text/plain; charset=UTF-8",
    "user-agent": "Amazon Simple Notification Service Agent",
    "x-amz-sns-message-id": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
}


@cache
def key(number: int = 0, bits: int = 2048) -> rsa.RSAPrivateKey:
    """One of SNS's keys, or a forger's: each number another one."""
    return rsa.generate_private_key(65537, bits)


def certificate(
    private_key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | None = None,
    *,
    names: Sequence[str] = ("sns.amazonaws.com",),
    common_name: str = "sns.amazonaws.com",
    days: tuple[int, int] = (-100, 100),
    authority: bool | None = False,
    more: x509.ExtensionType | None = None,
) -> bytes:
    """A certificate in PEM, valid between so many days before and after now. Without `authority` it does not say
    whether it is one; `more` is an extension beside.
    """
    private_key = private_key or key()
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(private_key.public_key())
        .serial_number(1)
        .not_valid_before(PUBLISHED + timedelta(days=days[0]))
        .not_valid_after(PUBLISHED + timedelta(days=days[1]))
    )
    if authority is not None:
        builder = builder.add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    if more:
        builder = builder.add_extension(more, critical=False)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(n) for n in names]), critical=False)
    return builder.sign(private_key, hashes.SHA256()).public_bytes(Encoding.PEM)


def time_text(seconds: float = 0) -> str:
    """A Timestamp so many seconds after now."""
    return (PUBLISHED + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.655Z")


def notification(**members: Any) -> dict[str, Any]:
    """A notification of a scan, not signed yet; None takes a member away."""
    message = {
        "Type": "Notification",
        "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": TOPIC,
        "Subject": "Infected file",
        "Message": '{"bucket":"lamps","key":"caf\u00e9.pdf"}',
        "Timestamp": time_text(),
        "SigningCertURL": CERTIFICATE_URL,
        "UnsubscribeURL": f"https://{HOST}/?Action=Unsubscribe&SubscriptionArn={TOPIC}:c9135db0",
        "MessageAttributes": {
            "notificationType": {"Type": "String", "Value": "scanResult"},
            "scanResult": {"Type": "String", "Value": "Infected"},
        },
    } | members
    return {name: value for name, value in message.items() if value is not None}


def about_subscription(kind: str = "SubscriptionConfirmation", **members: Any) -> dict[str, Any]:
    """A confirmation of a subscription, or of its end."""
    message = {
        "Type": kind,
        "MessageId": "165545c9-2a5c-472c-8df2-7ff2be2b3b1b",
        "Token": TOKEN,
        "TopicArn": TOPIC,
        "Message": f"You have chosen to subscribe to the topic {TOPIC}.\nTo confirm, visit the SubscribeURL.",
        "SubscribeURL": f"https://{HOST}/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token={TOKEN}",
        "Timestamp": time_text(),
        "SigningCertURL": CERTIFICATE_URL,
    } | members
    return {name: value for name, value in message.items() if value is not None}


def signed(message: Mapping[str, Any], version: str = "2", private_key: rsa.RSAPrivateKey | None = None) -> bytes:
    """The message's body with its signature."""
    names = ["Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
    if message["Type"] == "Notification":
        names = [name for name in names if name not in {"SubscribeURL", "Token"}]
    text = "".join(f"{name}\n{message[name]}\n" for name in names if name in message)
    algorithm = {"1": hashes.SHA1, "2": hashes.SHA256}[version]()
    signature = (private_key or key()).sign(text.encode(), padding.PKCS1v15(), algorithm)
    document = {**message, "SignatureVersion": version, "Signature": base64.b64encode(signature).decode()}
    return json.dumps(document, indent=2).encode()
