"""Amazon SNS's signing certificates: from which hosts they may come, what must be true of them, and a cache.

The host is fixed by the topic's ARN, and TLS proves it: that is the chain of trust. The certificate's own chain is not
built, because SNS serves the leaf alone; the issuers would have to be fetched over plain HTTP from where it says.
"""

import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

from msgspec import Struct

from trailhook.errors import FetchError, Unauthenticated
from trailhook.https import Fetcher
from trailhook.token_bucket import TokenBucket

if TYPE_CHECKING:
    # cryptography takes long to import, and only this partner's proof needs all of it.
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.x509 import Certificate

FETCHES = 20
FETCH_SECONDS = 1
"""Fetches that unproven messages may cause: so many at once, and one more in so many seconds."""

_KEPT = 8
"""A process keeps no more certificates than this."""

KEY_BITS = 2048
_ARN = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):sns:(?P<region>[a-z]{2,5}(?:-[a-z]+)+-\d{1,2}):\d{12}:[A-Za-z0-9_-]{1,256}",
    re.ASCII,
)
_SUFFIXES: Mapping[str, str] = MappingProxyType(
    {"aws": "amazonaws.com", "aws-us-gov": "amazonaws.com", "aws-cn": "amazonaws.com.cn", "aws-eusc": "amazonaws.eu"}
)


class Topic(Struct, frozen=True):
    """A topic, and the one host that speaks for SNS in its Region."""

    arn: str
    region: str
    suffix: str

    @classmethod
    def of(cls, arn: str) -> "Topic | None":
        """The topic with that ARN, or None if it is no ARN of a topic, or of a partition unknown here."""
        match = _ARN.fullmatch(arn)
        suffix = _SUFFIXES.get(match["partition"]) if match else None
        return cls(arn, match["region"], suffix) if match and suffix else None

    @property
    def host(self) -> str:
        return f"sns.{self.region}.{self.suffix}"

    @property
    def certificate_names(self) -> frozenset[str]:
        """Names to which AWS issues the signing certificates of a Region; which of them it is differs by Region."""
        region, suffix = self.region, self.suffix
        names = {f"sns.{suffix}", self.host, f"sns-signing.{region}.{suffix}", f"sns-{region}.{suffix}"}
        return frozenset(names | {f"sns-us-gov-west-1.{suffix}"} if region.startswith("us-gov-") else names)

    def certificate_path(self, url: str) -> str:
        """The path of a certificate's URL. Raises Unauthenticated for any URL but one of SNS's own in this Region."""
        match = re.fullmatch(
            rf"https://{re.escape(self.host)}(/SimpleNotificationService-[0-9A-Za-z]{{1,64}}\.pem)", url
        )
        if match is None:
            raise Unauthenticated(f"SigningCertURL is not a certificate of {self.host}")
        return match[1]


class SigningCertificates:
    """The certificates of a process, each fetched once."""

    def __init__(self, fetcher: Fetcher) -> None:
        self._fetcher = fetcher
        self._fetches = TokenBucket(FETCHES, FETCH_SECONDS, time.monotonic)
        self._certificates: dict[str, Certificate] = {}

    def public_key(self, topic: Topic, url: str, received_at: int) -> "RSAPublicKey":
        """The key of the certificate at `url`, at a time of receipt in milliseconds.

        Raises Unauthenticated if it is none of SNS's or not valid then, FetchError if SNS does not say.
        """
        path = topic.certificate_path(url)
        key = topic.host + path
        certificate = self._certificates.get(key) or self._fetch(topic, path)
        public_key = _checked(certificate, topic, datetime.fromtimestamp(received_at / 1000, UTC))
        if key not in self._certificates:
            if len(self._certificates) >= _KEPT:
                del self._certificates[next(iter(self._certificates))]
            self._certificates[key] = certificate
        return public_key

    def _fetch(self, topic: Topic, path: str) -> "Certificate":
        from cryptography.x509 import load_pem_x509_certificates  # noqa: PLC0415 - see above

        if not self._fetches.take():
            raise FetchError("Too many signing certificates were asked for; the next in a second")
        answer = self._fetcher.get(topic.host, path)
        if answer.is_unavailable:
            raise FetchError(f"{topic.host} answered HTTP status {answer.status}")
        if answer.status != 200:
            raise Unauthenticated(f"{topic.host} has no such certificate: HTTP status {answer.status}")
        try:
            return load_pem_x509_certificates(answer.body)[0]
        except ValueError as error:
            # No sender can make SNS say this, and a 401 would end its tries.
            raise FetchError(f"{topic.host} answered with something that is no certificate") from error


def _checked(certificate: "Certificate", topic: Topic, at: datetime) -> "RSAPublicKey":
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey  # noqa: PLC0415 - see above

    if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
        raise Unauthenticated("The signing certificate is not valid at the time of receipt")
    try:
        names, authority = _names(certificate), _is_authority(certificate)
        key = certificate.public_key()
    except ValueError as error:
        raise Unauthenticated("The signing certificate cannot be read") from error
    if authority or not names & topic.certificate_names:
        raise Unauthenticated(f"The signing certificate is not one of SNS in {topic.region}")
    if not isinstance(key, RSAPublicKey) or key.key_size < KEY_BITS:
        raise Unauthenticated(f"The signing certificate has no RSA key of {KEY_BITS} bits or more")
    return key


def _names(certificate: "Certificate") -> frozenset[str]:
    """The host names that a certificate is issued to: the common name counts only where there is no other."""
    from cryptography.x509 import DNSName, ExtensionNotFound, NameOID, SubjectAlternativeName  # noqa: PLC0415

    try:
        names = certificate.extensions.get_extension_for_class(SubjectAlternativeName).value
    except ExtensionNotFound:
        return frozenset(str(name.value) for name in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME))
    return frozenset(names.get_values_for_type(DNSName))


def _is_authority(certificate: "Certificate") -> bool:
    from cryptography.x509 import BasicConstraints, ExtensionNotFound  # noqa: PLC0415 - see above

    try:
        return certificate.extensions.get_extension_for_class(BasicConstraints).value.ca
    except ExtensionNotFound:
        return False
