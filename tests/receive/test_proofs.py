"""What every proof takes and refuses. A new kind of proof joins by one line in `SENDERS` and inherits all of it."""

import base64
import hmac
import json
import secrets as token
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.receive.senders import NOW, RECEIVED_AT, hex_hmac, standard_webhooks_headers

from trailhook.errors import Unauthenticated
from trailhook.gateway import Request
from trailhook.proofs import (
    HmacProof,
    Proof,
    StandardWebhooksProof,
    TimestampedHmacProof,
    TokenProof,
    base64_text,
)

BODY = b'{"b": 1.0, "a": "\xc3\xa9\\u00e9"}'
OTHER_BODY = b'{"b": 2.0, "a": "another delivery"}'
FIRST_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
SECOND_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))


def public(key: Ed25519PrivateKey) -> str:
    return "whpk_" + base64.b64encode(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()


def ed25519_headers(secret: str, body: bytes) -> dict[str, str]:
    key = {public(FIRST_KEY): FIRST_KEY, public(SECOND_KEY): SECOND_KEY}[secret]
    signature = base64.b64encode(key.sign(f"msg_1.{NOW}.".encode() + body)).decode()
    return {"webhook-id": "msg_1", "webhook-timestamp": str(NOW), "webhook-signature": f"v1a,{signature}"}


def whsec_headers(secret: str, body: bytes) -> dict[str, str]:
    return standard_webhooks_headers(base64.b64decode(secret.removeprefix("whsec_")), body)


@dataclass(frozen=True)
class Sender:
    """A sender under one kind of proof: the header that proves it, and how it computes it on its own."""

    proof: Proof
    header: str
    sign: Callable[[str, bytes], Mapping[str, str]]
    prefix: str = ""
    signs_body: bool = True
    listed: bool = False
    secret: str = "It's a fake secret"
    other_secret: str = "It's another fake secret"


def timed_after(secret: str, body: bytes, moment: str) -> dict[str, str]:
    digest = hmac.new(secret.encode(), body + moment.encode(), "sha256").digest()
    return {"x-signature": base64.b64encode(digest).decode(), "x-time": moment}


WHSEC = "whsec_" + base64.b64encode(bytes(range(32))).decode()
OTHER_WHSEC = "whsec_" + base64.b64encode(bytes(range(1, 33))).decode()
SENDERS = {
    "hex with a prefix": Sender(
        HmacProof("p", "x-signature", prefix="sha256="),
        "x-signature",
        lambda secret, body: {"x-signature": "sha256=" + hex_hmac(secret, body)},
        prefix="sha256=",
    ),
    "bare hex": Sender(
        HmacProof("p", "x-signature"), "x-signature", lambda secret, body: {"x-signature": hex_hmac(secret, body)}
    ),
    "hex of SHA-1": Sender(
        HmacProof("p", "x-signature", prefix="sha1=", algorithm="sha1"),
        "x-signature",
        lambda secret, body: {"x-signature": "sha1=" + hex_hmac(secret, body, "sha1")},
        prefix="sha1=",
    ),
    "hex of SHA-512": Sender(
        HmacProof("p", "x-signature", algorithm="sha512"),
        "x-signature",
        lambda secret, body: {"x-signature": hex_hmac(secret, body, "sha512")},
    ),
    "base64": Sender(
        HmacProof("p", "x-signature", encode=lambda digest: base64.b64encode(digest).decode()),
        "x-signature",
        lambda secret, body: {
            "x-signature": base64.b64encode(hmac.new(secret.encode(), body, "sha256").digest()).decode()
        },
    ),
    "hex in a list": Sender(
        HmacProof("p", "x-signature", prefix="v1=", listed=True),
        "x-signature",
        lambda secret, body: {"x-signature": "v1=" + hex_hmac(secret, body)},
        prefix="v1=",
        listed=True,
    ),
    "hex over a time and the body": Sender(
        TimestampedHmacProof("p", "x-signature", "x-time", "v0:{timestamp}:{body}", prefix="v0="),
        "x-signature",
        lambda secret, body: {
            "x-signature": "v0=" + hex_hmac(secret, f"v0:{NOW}:".encode() + body),
            "x-time": str(NOW),
        },
        prefix="v0=",
    ),
    "base64 over the body and a time": Sender(
        TimestampedHmacProof("p", "x-signature", "x-time", "{body}{timestamp}", encode=base64_text, any_time=True),
        "x-signature",
        lambda secret, body: timed_after(secret, body, "2023-11-14T22:13:20Z"),
    ),
    "Standard Webhooks": Sender(
        StandardWebhooksProof(),
        "webhook-signature",
        whsec_headers,
        prefix="v1,",
        secret=WHSEC,
        other_secret=OTHER_WHSEC,
    ),
    "Standard Webhooks under Svix's names": Sender(
        StandardWebhooksProof(),
        "svix-signature",
        lambda secret, body: standard_webhooks_headers(secret.encode(), body, family="svix"),
        prefix="v1,",
    ),
    "Standard Webhooks with Ed25519": Sender(
        StandardWebhooksProof(),
        "webhook-signature",
        ed25519_headers,
        prefix="v1a,",
        secret=public(FIRST_KEY),
        other_secret=public(SECOND_KEY),
    ),
    "token": Sender(TokenProof("p"), "authorization", lambda secret, _: {"authorization": secret}, signs_body=False),
    "token with a prefix": Sender(
        TokenProof("p", prefix="Bearer "),
        "authorization",
        lambda secret, _: {"authorization": f"Bearer {secret}"},
        prefix="Bearer ",
        signs_body=False,
    ),
}
every_sender = pytest.mark.parametrize("sender", SENDERS.values(), ids=SENDERS.keys())
signing = {name: sender for name, sender in SENDERS.items() if sender.signs_body}
every_signing_sender = pytest.mark.parametrize("sender", signing.values(), ids=signing.keys())


def request(headers: Mapping[str, str], body: bytes = BODY, path: str = "/webhook") -> Request:
    return Request("POST", path, headers, body, "192.0.2.1", RECEIVED_AT, "request-1")


def refuses(sender: Sender, headers: Mapping[str, str], body: bytes = BODY, secret: str | None = None) -> bool:
    try:
        sender.proof.verify(request(headers, body), sender.secret if secret is None else secret)
    except Unauthenticated:
        return True
    return False


def with_value(sender: Sender, value: str) -> dict[str, str]:
    return {**sender.sign(sender.secret, BODY), sender.header: value}


@every_sender
def test_a_genuine_request_is_accepted(sender: Sender) -> None:
    sender.proof.verify(request(sender.sign(sender.secret, BODY)), sender.secret)


@every_sender
def test_without_its_header_nothing_is_proven(sender: Sender) -> None:
    genuine = dict(sender.sign(sender.secret, BODY))
    assert refuses(sender, {})
    for name in genuine:
        assert refuses(sender, {key: value for key, value in genuine.items() if key != name}) == (
            name != "content-type"
        )
    for nothing in ("", " ", sender.prefix, "undefined", "null", "None"):
        assert refuses(sender, with_value(sender, nothing))


@every_sender
def test_another_secret_and_an_empty_one_prove_nothing(sender: Sender) -> None:
    genuine = sender.sign(sender.secret, BODY)
    assert refuses(sender, genuine, BODY, sender.other_secret)
    assert refuses(sender, genuine, BODY, "")


@every_sender
def test_the_prefix_must_be_there_as_it_is(sender: Sender) -> None:
    value = sender.sign(sender.secret, BODY)[sender.header].removeprefix(sender.prefix)
    for prefix in (sender.prefix.swapcase(), sender.prefix.title(), "sha384=", "v0,", "Basic ", f"{sender.prefix} "):
        if prefix != sender.prefix:
            assert refuses(sender, with_value(sender, prefix + value))
    if sender.prefix:
        assert refuses(sender, with_value(sender, value))


@every_sender
def test_a_value_that_is_cut_longer_or_written_otherwise_proves_nothing(sender: Sender) -> None:
    genuine = sender.sign(sender.secret, BODY)[sender.header]
    value = genuine.removeprefix(sender.prefix)
    for altered in (
        value[:-1],
        value[: len(value) // 2],
        value[:8],
        value + "0",
        value + "=",
        value + "\n",
        value.swapcase(),
        value.replace(value[0], "z", 1),
        "not hexadecimal, nor base64 either!",
        "\x00" * len(value),
        value[:-1] + "\N{FULLWIDTH DIGIT ONE}",
        "\N{SNOWMAN}" * 64,
        "\ud800",
        "0x" + value,
        f'"{value}"',
    ):
        assert refuses(sender, with_value(sender, sender.prefix + altered)), repr(altered)


@every_sender
def test_a_header_sent_twice_arrives_joined_by_a_comma_and_proves_nothing_unless_it_is_a_list(sender: Sender) -> None:
    genuine = sender.sign(sender.secret, BODY)[sender.header]
    forged = sender.sign(sender.other_secret, BODY)[sender.header]
    for joined in (f"{genuine},{forged}", f"{forged},{genuine}", f"{genuine},{genuine}", f"{genuine},"):
        assert refuses(sender, with_value(sender, joined)) is not sender.listed
    assert refuses(sender, with_value(sender, f"{forged},{forged}"))


@every_signing_sender
def test_a_signature_proves_the_bytes_it_was_made_for_and_no_others(sender: Sender) -> None:
    genuine = sender.sign(sender.secret, BODY)
    serialised_again = json.dumps(json.loads(BODY)).encode()
    for other in (BODY + b"\n", BODY[:-1], b"", b"\xef\xbb\xbf" + BODY, serialised_again, OTHER_BODY, BODY * 2):
        assert refuses(sender, genuine, other)


@every_signing_sender
def test_a_signature_copied_from_another_delivery_proves_nothing(sender: Sender) -> None:
    copied = sender.sign(sender.secret, OTHER_BODY)[sender.header]
    assert refuses(sender, with_value(sender, copied))


@every_signing_sender
def test_an_empty_body_can_be_signed_and_any_bytes_too(sender: Sender) -> None:
    for body in (b"", b"\x1f\x8b\x08\x00", b"\xff\xfe\x00", b"payload=%7B%7D"):
        sender.proof.verify(request(sender.sign(sender.secret, body), body), sender.secret)


@every_sender
def test_a_huge_value_is_refused_in_no_time(sender: Sender) -> None:
    genuine = sender.sign(sender.secret, BODY)[sender.header]
    for huge in ("a" * 1_000_000, "v1," * 300_000, f"v1,{'A' * 43}= " * 20_000, f"v1a,{'A' * 86}== " * 10_000):
        assert refuses(sender, with_value(sender, huge))
        assert refuses(sender, with_value(sender, huge + genuine[:-4]))


def test_a_list_of_ed25519_signatures_costs_no_pass_over_a_large_body_for_each() -> None:
    body = b"x" * 4_000_000
    listed = f"v1a,{'A' * 86}== " * 3_000
    started = time.process_time()
    with pytest.raises(Unauthenticated):
        StandardWebhooksProof().verify(
            request(standard_webhooks_headers(b"", body) | {"webhook-signature": listed}, body), public(FIRST_KEY)
        )
    assert time.process_time() - started < 3  # each pass takes a hundredth of a second, all of them half a minute


def test_a_public_key_is_never_a_shared_secret() -> None:
    """Anybody may know a whpk_ key, so whoever knows it must not pass with it."""
    key = public(FIRST_KEY)
    raw = base64.b64decode(key.removeprefix("whpk_"))
    for name, sender in SENDERS.items():
        if "Ed25519" in name or sender.secret.startswith("whsec_"):
            continue
        assert refuses(sender, sender.sign(key, BODY), BODY, key), name
    for hmac_key in (raw, key.encode(), key.removeprefix("whpk_").encode()):
        for family in ("webhook", "svix"):
            with pytest.raises(Unauthenticated):
                StandardWebhooksProof().verify(request(standard_webhooks_headers(hmac_key, BODY, family=family)), key)


@pytest.mark.parametrize("pasted", [" {}", "\t{}", '"{}"', '{{"secret":"{}"}}', "whsec_{}", "\ufeff{}", "arn:x#{}"])
def test_a_public_key_is_none_however_it_was_pasted(pasted: str) -> None:
    key = pasted.format(public(FIRST_KEY))
    for name, sender in SENDERS.items():
        if "Ed25519" not in name and not sender.secret.startswith("whsec_"):
            assert refuses(sender, sender.sign(key, BODY), BODY, key), name


@pytest.mark.parametrize("key", ["whpk_", "whpk_AAAA", "whpk_not base64", f"whpk_{'A' * 44}", "whpk_\N{SNOWMAN}"])
def test_a_broken_public_key_refuses_everything_and_raises_nothing_else(key: str) -> None:
    with pytest.raises(Unauthenticated):
        StandardWebhooksProof().verify(request(ed25519_headers(public(FIRST_KEY), BODY)), key)


# Standard Webhooks: time, id, list, key.

KEY = bytes(range(32))
SECRET = base64.b64encode(KEY).decode()


def standard(timestamp: str = str(NOW), message_id: str = "msg_1") -> dict[str, str]:
    return standard_webhooks_headers(KEY, BODY, timestamp=timestamp, message_id=message_id)


@pytest.mark.parametrize("age", [0, 240, 300, -240, -300])
def test_a_timestamp_within_five_minutes_of_receipt_passes(age: int) -> None:
    StandardWebhooksProof().verify(request(standard(str(NOW - age))), SECRET)


@pytest.mark.parametrize("age", [301, 3600, -301, -3600, NOW, -NOW * 1000])
def test_a_stale_or_future_timestamp_does_not_pass_however_well_it_is_signed(age: int) -> None:
    with pytest.raises(Unauthenticated):
        StandardWebhooksProof().verify(request(standard(str(NOW - age))), SECRET)


@pytest.mark.parametrize(
    "timestamp",
    [
        f"{NOW}.9",
        f"{NOW}.0",
        f" {NOW}",
        f"{NOW} ",
        f"+{NOW}",
        f"-{NOW}",
        f"{NOW}\n",
        "17000_00000",
        "\N{ARABIC-INDIC DIGIT ONE}700000000",
        "0x6553f100",
        "1e9",
        "NaN",
        "inf",
        "9" * 5000,
        str(RECEIVED_AT),
        "2023-11-14T22:13:20Z",
    ],
)
def test_a_timestamp_is_a_plain_number_of_seconds(timestamp: str) -> None:
    with pytest.raises(Unauthenticated):
        StandardWebhooksProof().verify(request(standard(timestamp)), SECRET)


def test_an_altered_id_or_timestamp_breaks_the_signature() -> None:
    for altered in ({"webhook-timestamp": str(NOW - 1)}, {"webhook-id": "msg_2"}, {"webhook-id": "msg_1 "}):
        with pytest.raises(Unauthenticated):
            StandardWebhooksProof().verify(request(standard() | altered), SECRET)


def test_an_id_with_a_dot_is_refused_since_it_could_hide_where_the_timestamp_begins() -> None:
    shifted = f"{NOW}.{NOW}"
    with pytest.raises(Unauthenticated):
        StandardWebhooksProof().verify(request(standard(message_id=shifted)), SECRET)


def test_all_three_headers_come_from_the_same_family() -> None:
    ours, svix = standard(), standard_webhooks_headers(KEY, BODY, family="svix")
    for name in ("id", "timestamp", "signature"):
        mixed = {key: value for key, value in ours.items() if not key.endswith(name)}
        with pytest.raises(Unauthenticated):
            StandardWebhooksProof().verify(request(mixed | {f"svix-{name}": svix[f"svix-{name}"]}), SECRET)


def test_both_families_together_are_fine_as_long_as_they_name_the_same_message() -> None:
    both = standard() | standard_webhooks_headers(KEY, BODY, family="svix")
    StandardWebhooksProof().verify(request(both), SECRET)
    later = str(NOW + 1)
    for unsigned in (
        *({"svix-id": "msg_forged"}, {"webhook-id": "msg_forged", "webhook-signature": ""}),
        *({"svix-timestamp": later}, {"webhook-timestamp": later, "webhook-signature": ""}),
    ):
        with pytest.raises(Unauthenticated):
            StandardWebhooksProof().verify(request(both | unsigned), SECRET)


@pytest.mark.parametrize("before", ["v1,AAAA ", "v2,x ", "junk ", ", ", "v1a,AAAA ", "  ", f"v1,{'A' * 43}= " * 100])
def test_any_entry_of_the_list_may_be_the_valid_one(before: str) -> None:
    headers = standard()
    headers["webhook-signature"] = before + headers["webhook-signature"] + " v1,BBBB junk"
    StandardWebhooksProof().verify(request(headers), SECRET)


GENERATED = "TrailhookFakeSecretForLocalUseOnly0000000000"
SHORT_WHSEC = "whsec_" + base64.b64encode(b"k" * 15).decode()


@pytest.mark.parametrize(
    ("secret", "key"),
    [
        pytest.param(SECRET, KEY, id="base64 of 32 bytes"),
        pytest.param(f"whsec_{SECRET}", KEY, id="with the prefix"),
        pytest.param(base64.b64encode(b"k" * 24).decode(), b"k" * 24, id="base64 of 24 bytes, the fewest"),
        pytest.param(base64.b64encode(b"k" * 64).decode(), b"k" * 64, id="base64 of 64 bytes, the most"),
        pytest.param(GENERATED, base64.b64decode(GENERATED), id="generated by the template"),
        pytest.param("whsec_" + base64.b64encode(b"k" * 18).decode(), b"k" * 18, id="Svix's 18 bytes"),
        pytest.param("whsec_" + base64.b64encode(b"k" * 16).decode(), b"k" * 16, id="whsec_ of 16 bytes, the fewest"),
        pytest.param("whsec_" + base64.b64encode(b"k" * 23).decode(), b"k" * 23, id="whsec_ of 23 bytes"),
        pytest.param(SHORT_WHSEC, SHORT_WHSEC.encode(), id="whsec_ of 15 bytes: the text itself"),
        pytest.param(base64.b64encode(b"k" * 23).decode(), base64.b64encode(b"k" * 23), id="23 bytes: the text itself"),
        pytest.param(base64.b64encode(b"k" * 65).decode(), base64.b64encode(b"k" * 65), id="65 bytes: the text itself"),
        pytest.param("It's a secret", b"It's a secret", id="no base64: the text itself"),
        pytest.param("Gehéim", "Gehéim".encode(), id="not ASCII: its UTF-8"),
    ],
)
def test_the_key_that_a_secret_stands_for(secret: str, key: bytes) -> None:
    StandardWebhooksProof().verify(request(standard_webhooks_headers(key, BODY)), secret)


@pytest.mark.parametrize("secret", [SECRET, GENERATED])
def test_a_secret_that_is_base64_of_a_key_is_not_also_taken_as_text(secret: str) -> None:
    with pytest.raises(Unauthenticated):
        StandardWebhooksProof().verify(request(standard_webhooks_headers(secret.encode(), BODY)), secret)


def test_the_empty_key_signs_nothing() -> None:
    for secret in ("", "whsec_"):
        with pytest.raises(Unauthenticated):
            StandardWebhooksProof().verify(request(standard_webhooks_headers(b"", BODY)), secret)


# Tokens.


def test_a_token_bound_to_paths_counts_on_those_only() -> None:
    proof = TokenProof("hec", prefix="Splunk ", paths=frozenset({"/services/collector"}))
    secret = token.token_urlsafe(16)
    headers = {"authorization": f"Splunk {secret}"}
    for path in ("/services/collector", "/services/collector/"):
        proof.verify(request(headers, path=path), secret)
    for path in ("/webhook", "/services/collector/raw", "/x/services/collector", "/SERVICES/collector", ""):
        with pytest.raises(Unauthenticated):
            proof.verify(request(headers, path=path), secret)


def test_a_token_may_hold_any_character_that_a_header_can() -> None:
    for secret in ("Gehéim", "p=1, q", "Bearer x", "v1,abc"):
        TokenProof("p").verify(request({"authorization": secret}), secret)


@pytest.mark.parametrize(
    "body",
    [
        f'{{"at.{NOW}.{NOW}.":"10.1.2.3"}}'.encode(),
        f"[1.5,{NOW}.25,3]".encode(),
        b"version=1.2.3&payload=%7B%7D",
        b"\x1f\x8b.1700000000.",
        b"a.1700000000",
        b"",
    ],
)
def test_a_body_that_is_no_message_of_standard_webhooks_is_the_partners_own(body: bytes) -> None:
    HmacProof("p", "x-signature").verify(request({"x-signature": hex_hmac("fake", body)}, body), "fake")


# A time that a signature covers, and a token beside a signature.

AFTER = SENDERS["base64 over the body and a time"]


@pytest.mark.parametrize(
    "moment", ["2023-11-14T22:13:20Z", str(NOW), str(RECEIVED_AT), "2023-11-14T23:13:20+01:00", str(NOW - 299)]
)
def test_where_the_form_of_a_time_is_open_every_form_counts(moment: str) -> None:
    AFTER.proof.verify(request(timed_after(AFTER.secret, BODY, moment)), AFTER.secret)


@pytest.mark.parametrize(
    "moment", [str(NOW - 301), str(NOW + 301), "2023-11-14T22:13:20+01:00", "0", "now", "NaN", "9" * 400, "-1"]
)
def test_a_signed_time_that_is_too_far_or_none_does_not_pass(moment: str) -> None:
    assert refuses(AFTER, timed_after(AFTER.secret, BODY, moment))


@pytest.mark.parametrize("moment", ["2023-11-14T22:13:20Z", str(RECEIVED_AT), f"{NOW}.0"])
def test_where_a_time_is_in_seconds_no_other_form_counts(moment: str) -> None:
    """A form with signs in it could begin with the time that was signed and go on with what was the body."""
    sender = SENDERS["hex over a time and the body"]
    signature = "v0=" + hex_hmac(sender.secret, f"v0:{moment}:".encode() + BODY)
    assert refuses(sender, {"x-signature": signature, "x-time": moment})


@pytest.mark.parametrize("any_time", [False, True])
def test_no_end_of_a_body_can_pass_for_the_beginning_of_the_time(any_time: bool) -> None:
    proof = TimestampedHmacProof("p", "x-signature", "x-time", "{body}{timestamp}", any_time=any_time)
    headers = {"x-signature": hex_hmac("fake", b"payload=%7B%7D&amount=100" + str(NOW).encode())}
    proof.verify(request({**headers, "x-time": str(NOW)}, b"payload=%7B%7D&amount=100"), "fake")
    with pytest.raises(Unauthenticated):
        proof.verify(request({**headers, "x-time": f"00{NOW}"}, b"payload=%7B%7D&amount=1"), "fake")


def test_an_altered_time_breaks_the_signature() -> None:
    for name in ("hex over a time and the body", "base64 over the body and a time"):
        sender = SENDERS[name]
        assert refuses(sender, {**sender.sign(sender.secret, BODY), "x-time": str(NOW + 1)})


def test_a_token_does_not_make_a_broken_signature_good() -> None:
    proof = TokenProof("p", header="x-token", yields_to="webhook-signature")
    proof.verify(request({"x-token": "fake"}), "fake")
    with pytest.raises(Unauthenticated):
        proof.verify(request({"x-token": "fake", "webhook-signature": "v1,AAAA"}), "fake")


def test_a_refusal_does_not_quote_the_header_that_it_refuses() -> None:
    """The log holds nothing of what somebody sent who is not proven."""
    sender = SENDERS["base64 over the body and a time"]
    with pytest.raises(Unauthenticated) as refusal:
        sender.proof.verify(request({**sender.sign(sender.secret, BODY), "x-time": "a pasted secret"}), sender.secret)
    assert "pasted" not in refusal.value.reason
