"""What proves each partner's sender under the webhook secret: the table of proofs, held against the endpoints.

Each row inherits everything that must fail and everything that must pass. SNS, whose proof is no function of the
secret, has its own list in tests/receive/test_sns.py.
"""

import base64
import gzip
import hmac
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pytest
from tests.contract.test_registry import OPTIONS, PARTNERS
from tests.fakes import MemoryClock, MemorySecretStore, MemorySender
from tests.receive.senders import NOW, api_gateway_event, hex_hmac, standard_webhooks_headers

from trailhook.partners import load_partner
from trailhook.proofs import StandardWebhooksProof
from trailhook.receive import Receiver
from trailhook.webhook_secret import WebhookSecret

SECRET = "fakeFAKEfakeFAKEfakeFAKEfakeFAKEfakeFAKEfake"
OTHER_SECRET = "anotherFAKEsecretANOTHERfakeSECRETanotherFAK"
BODY = b'{"b": 1.0, "a": "caf\xc3\xa9"}'
OTHER_BODY = b'{"b": 2.0, "a": "another delivery"}'
FORM = b"payload=%7B%7D"
Headers = Mapping[str, str]
Sign = Callable[[str, bytes, int], Headers]


@dataclass(frozen=True)
class Row:
    """One proof of one partner: how its sender makes the headers, and which of them holds the proof."""

    partner: str
    header: str
    sign: Sign
    prefix: str = ""
    timestamp_header: str = ""
    path: str = "/webhook"
    separator: str = ""
    """Between the signatures of a list, where the header may hold one."""

    def __str__(self) -> str:
        return f"{self.partner} {self.header}"

    def genuine(self, body: bytes = BODY, *, secret: str = SECRET, now: int = NOW) -> dict[str, str]:
        return dict(self.sign(secret, body, now))

    def with_value(self, value: str) -> dict[str, str]:
        return self.genuine() | {self.header: value}

    @property
    def digest(self) -> str:
        """The proving header's value without its prefix."""
        return self.genuine()[self.header].removeprefix(self.prefix)

    @property
    def signs(self) -> bool:
        return self.genuine() != self.genuine(OTHER_BODY)


def token(partner: str, header: str = "authorization", prefix: str = "", path: str = "/webhook") -> Row:
    return Row(partner, header, lambda secret, _body, _now: {header: prefix + secret}, prefix, path=path)


def hexadecimal(partner: str, header: str, prefix: str = "", algorithm: str = "sha256", separator: str = "") -> Row:
    def sign(secret: str, body: bytes, _now: int) -> Headers:
        return {header: prefix + hex_hmac(secret, body, algorithm)}

    return Row(partner, header, sign, prefix, separator=separator)


def v0(partner: str, header: str, timestamp_header: str) -> Row:
    def sign(secret: str, body: bytes, now: int) -> Headers:
        return {timestamp_header: str(now), header: "v0=" + hex_hmac(secret, f"v0:{now}:".encode() + body)}

    return Row(partner, header, sign, "v0=", timestamp_header)


def crowdstrike(secret: str, body: bytes, now: int) -> Headers:
    digest = hmac.new(secret.encode(), body + str(now).encode(), "sha256").digest()
    return {"x-cs-delivery-timestamp": str(now), "x-cs-primary-signature": base64.b64encode(digest).decode()}


def standard_webhooks(secret: str, body: bytes, now: int) -> Headers:
    headers = standard_webhooks_headers(base64.b64decode(secret), body, timestamp=str(now))
    return {name: value for name, value in headers.items() if name != "content-type"}


TABLE = [
    hexadecimal("github", "x-hub-signature-256", "sha256="),
    token("github", prefix="Splunk ", path="/services/collector"),
    token("okta"),
    token("onelogin"),
    token("auth0"),
    token("kong"),
    hexadecimal("kong", "x-kong-signature", "sha1=", "sha1"),
    Row("crowdstrike", "x-cs-primary-signature", crowdstrike, timestamp_header="x-cs-delivery-timestamp"),
    token("wiz", prefix="Bearer "),
    hexadecimal("launchdarkly", "x-ld-signature"),
    hexadecimal("snyk", "x-hub-signature", "sha256="),
    token("gitlab", "x-gitlab-token"),
    token("gitlab", "x-gitlab-event-streaming-token"),
    v0("slack", "x-slack-signature", "x-slack-request-timestamp"),
    v0("zoom", "x-zm-signature", "x-zm-request-timestamp"),
    hexadecimal("atlassian", "x-hub-signature", "sha256="),
    hexadecimal("pagerduty", "x-pagerduty-signature", "v1=", separator=","),
    hexadecimal("terraform", "x-tfe-notification-signature", "", "sha512"),
    token("cloudflare", "cf-webhook-auth"),
]
STANDARD = [
    Row(name, "webhook-signature", standard_webhooks, "v1,", "webhook-timestamp", separator=" ") for name in PARTNERS
]
"""Which every endpoint takes."""
every_row = pytest.mark.parametrize("row", [*TABLE, *STANDARD], ids=str)


def status(row: Row, headers: Headers, body: bytes | str = BODY, secrets: Sequence[str] = (SECRET,)) -> int:
    """The answer's status; what is refused must not have been queued. The last of the secrets is the current one."""
    store, sender = MemorySecretStore(), MemorySender()
    for secret in secrets:
        store.put(secret, at=NOW)
    secret_versions = WebhookSecret(store, grace_hours=24, now=MemoryClock(NOW).now)
    receiver = Receiver(load_partner(row.partner, OPTIONS), secret_versions, sender)
    event = api_gateway_event(body, {"content-type": "application/json", **headers}, path=row.path)
    answered = receiver.answer(event).response
    assert len(sender.messages) == (1 if 200 <= answered.status < 300 else 0)
    return int(answered.status)


@pytest.mark.parametrize("name", PARTNERS)
def test_every_proof_of_an_endpoint_stands_in_the_table(name: str) -> None:
    own = [p for p in load_partner(name, OPTIONS).proofs if not isinstance(p, StandardWebhooksProof)]
    rows = [row for row in TABLE if row.partner == name]
    assert len(own) == len(rows) or (name == "cloudstoragesecurity" and [proof.name for proof in own] == ["sns"])


# What must fail. Each yields headers and body of requests that are nearly genuine.

Forgeries = Iterator[tuple[Headers, bytes]]


def missing_header(row: Row) -> Forgeries:
    yield {}, BODY
    for missing in row.genuine():
        yield {name: value for name, value in row.genuine().items() if name != missing}, BODY


def empty_header(row: Row) -> Forgeries:
    for name in row.genuine():
        for nothing in ("", " ", "null", "undefined"):
            yield row.genuine() | {name: nothing}, BODY
    yield row.with_value(row.prefix), BODY


def prefix_in_another_case(row: Row) -> Forgeries:
    for prefix in {row.prefix.swapcase(), row.prefix.upper(), row.prefix.title()} - {row.prefix}:
        yield row.with_value(prefix + row.digest), BODY


def wrong_prefix(row: Row) -> Forgeries:
    for prefix in {
        "sha1=",
        "sha256=",
        "SHA256=",
        "sha384=",
        "v0=",
        "v2=",
        "v2,",
        "v1a,",
        "Basic ",
        "x",
        f"{row.prefix} ",
    }:
        if prefix != row.prefix:
            yield row.with_value(prefix + row.digest), BODY
    if row.prefix:
        yield row.with_value(row.digest), BODY
        yield row.with_value(row.prefix * 2 + row.digest), BODY


def truncated(row: Row) -> Forgeries:
    for end in (-1, len(row.digest) // 2, 8, 1):
        yield row.with_value(row.prefix + row.digest[:end]), BODY
    yield row.with_value(row.prefix + row.digest[1:]), BODY


def longer(row: Row) -> Forgeries:
    blank = [] if row.separator else [" "]  # in a list it says nothing
    for more in ("0", "=", "\t", "\n", "\x00", row.digest, *blank):
        yield row.with_value(row.prefix + row.digest + more), BODY
    for before in ('"', "0x", *blank):
        yield row.with_value(before + row.prefix + row.digest), BODY


def neither_hexadecimal_nor_base64(row: Row) -> Forgeries:
    for digest in ("z" * 64, "not encoded!", "\N{SNOWMAN}" * 64, row.digest[:-1] + "\u00e9", "\ud800", "\x00" * 64):
        yield row.with_value(row.prefix + digest), BODY


def digest_in_another_case(row: Row) -> Forgeries:
    yield row.with_value(row.prefix + row.digest.swapcase()), BODY


def another_secret(row: Row) -> Forgeries:
    for secret in (OTHER_SECRET, SECRET.lower(), SECRET[:40]):
        yield row.genuine(secret=secret), BODY


def another_partners_header(row: Row) -> Forgeries:
    own = {name for other in TABLE if other.partner == row.partner for name in other.genuine()}
    others = {
        "authorization",
        "x-api-key",
        "x-token",
        "x-hub-signature",
        "x-hub-signature-256",
        "x-signature",
        "x-ld-signature",
    }
    for header in sorted(others - own):
        yield {header: row.genuine()[row.header]}, BODY


def two_values_in_one_header(row: Row) -> Forgeries:
    genuine, forged = row.genuine()[row.header], row.genuine(secret=OTHER_SECRET)[row.header]
    for joined in (f"{genuine},{forged}", f"{forged},{genuine}", f"{genuine},{genuine}", f"{forged},{forged}"):
        if not row.separator or joined == f"{forged},{forged}":
            yield row.with_value(joined), BODY


def serialised_again(row: Row) -> Forgeries:
    if row.signs:
        for body in (json.dumps(json.loads(BODY)), json.dumps(json.loads(BODY), separators=(",", ":"), sort_keys=True)):
            yield row.genuine(), body.encode()


def altered_body(row: Row) -> Forgeries:
    if row.signs:
        for body in (BODY + b"\n", BODY + b" ", BODY[:-1], b"\xef\xbb\xbf" + BODY, BODY * 2, b"", gzip.compress(BODY)):
            yield row.genuine(), body


def copied_from_another_delivery(row: Row) -> Forgeries:
    if row.signs:
        yield row.genuine(), OTHER_BODY
        yield row.with_value(row.genuine(OTHER_BODY)[row.header]), BODY


def stale_or_of_the_future(row: Row) -> Forgeries:
    if row.timestamp_header:
        for seconds in (-301, -3_600, 301, 3_600, -NOW):
            yield row.genuine(now=NOW + seconds), BODY


def altered_timestamp(row: Row) -> Forgeries:
    if row.timestamp_header:
        for moment in (str(NOW + 1), f"{NOW}.0", f" {NOW}", f"+{NOW}", f"0{NOW}", "now", "9" * 400):
            yield row.genuine() | {row.timestamp_header: moment}, BODY


def signed_under_nothing(row: Row) -> Forgeries:
    yield row.genuine(secret=""), BODY


MUST_FAIL = [
    missing_header,
    empty_header,
    prefix_in_another_case,
    wrong_prefix,
    truncated,
    longer,
    neither_hexadecimal_nor_base64,
    digest_in_another_case,
    another_secret,
    another_partners_header,
    two_values_in_one_header,
    serialised_again,
    altered_body,
    copied_from_another_delivery,
    stale_or_of_the_future,
    altered_timestamp,
    signed_under_nothing,
]


@every_row
@pytest.mark.parametrize("forgeries", MUST_FAIL, ids=lambda forgeries: forgeries.__name__)
def test_what_must_fail_fails(row: Row, forgeries: Callable[[Row], Forgeries]) -> None:
    for headers, body in forgeries(row):
        if headers != row.genuine(body):
            assert status(row, headers, body) == 401, (headers, body)


@pytest.mark.parametrize("row", TABLE, ids=str)
@pytest.mark.parametrize("secret", ["", " ", "whsec_", "whpk_", "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="])
def test_what_is_no_secret_proves_nobody_however_right_the_sum(row: Row, secret: str) -> None:
    """A whpk_ key is public: it may prove an Ed25519 signature, never be a token or an HMAC key."""
    assert status(row, row.genuine(secret=secret), secrets=[secret]) == 401


def test_gitlabs_token_does_not_make_a_broken_signature_good() -> None:
    row = token("gitlab", "x-gitlab-token")
    assert status(row, {**row.genuine(), "webhook-signature": "v1,AAAA"}) == 401


# What must pass.


@every_row
def test_a_genuine_delivery_passes_in_every_form_of_body(row: Row) -> None:
    for body in (BODY, gzip.compress(BODY), FORM, BODY + b"\n" + BODY, b"\xff", b"[" + BODY + b"]"):
        assert 200 <= status(row, row.genuine(body), body) < 300


@every_row
def test_a_genuine_delivery_passes_as_text_and_as_base64(row: Row) -> None:
    assert 200 <= status(row, row.genuine(), BODY.decode()) < 300
    assert 200 <= status(row, row.genuine(), BODY) < 300


@every_row
def test_a_delivery_that_is_four_minutes_old_or_ahead_passes(row: Row) -> None:
    for seconds in (-240, -300, 240, 300):
        assert 200 <= status(row, row.genuine(now=NOW + seconds)) < 300


@every_row
def test_the_previous_secret_passes_beside_the_current_one(row: Row) -> None:
    for secret in (SECRET, OTHER_SECRET):
        assert 200 <= status(row, row.genuine(secret=secret), secrets=[OTHER_SECRET, SECRET]) < 300


@pytest.mark.parametrize("row", [row for row in [*TABLE, *STANDARD] if row.separator], ids=str)
def test_the_second_of_two_signatures_passes(row: Row) -> None:
    genuine, former = row.genuine()[row.header], row.genuine(secret=OTHER_SECRET)[row.header]
    for listed in (f"{former}{row.separator}{genuine}", f"{genuine}{row.separator}{former}"):
        assert 200 <= status(row, row.with_value(listed)) < 300


@every_row
def test_a_header_of_any_case_passes(row: Row) -> None:
    assert 200 <= status(row, {name.title(): value for name, value in row.genuine().items()}) < 300
