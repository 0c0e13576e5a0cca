"""What is true of one kind of proof alone: tokens, bodies that a partner signs, times that a signature covers."""

import base64
import secrets as token

import pytest
from tests.receive.proof_senders import BODY, SENDERS, refuses, request, timed_after
from tests.receive.senders import NOW, RECEIVED_AT, hex_hmac, standard_webhooks_headers

from trailhook.errors import Unauthenticated
from trailhook.proofs import HmacProof, Proof, StandardWebhooksProof, TimestampedHmacProof, TokenProof
from trailhook.timestamps import parse_time


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


LATER = NOW + 86_400
TIMED_BODY = f'{LATER}.{{"type":"lit"}}'.encode()
TIMED = TimestampedHmacProof("p", "x-signature", "{timestamp}.{body}", "x-time")


def test_what_a_partner_signs_with_its_time_is_refused_where_it_would_count_again_under_standard_webhooks() -> None:
    """The time would be its id, and what the body begins with the time."""
    signature = hex_hmac("fake", f"{NOW}.".encode() + TIMED_BODY)
    later = standard_webhooks_headers(b"fake", b'{"type":"lit"}', message_id=str(NOW), timestamp=str(LATER))
    assert base64.b64decode(later["webhook-signature"].removeprefix("v1,")).hex() == signature
    with pytest.raises(Unauthenticated, match="a message of Standard Webhooks"):
        TIMED.verify(request({"x-signature": signature, "x-time": str(NOW)}, TIMED_BODY), "fake")
    TIMED.verify(request({"x-signature": hex_hmac("fake", f"{NOW}.".encode() + BODY), "x-time": str(NOW)}), "fake")


def test_no_message_of_standard_webhooks_counts_as_what_a_partner_signs_with_its_time() -> None:
    """A forwarder may take the time for its ids."""
    headers = standard_webhooks_headers(b"fake", BODY, message_id=str(NOW))
    StandardWebhooksProof().verify(request(headers), "fake")
    signature = base64.b64decode(headers["webhook-signature"].removeprefix("v1,")).hex()
    with pytest.raises(Unauthenticated, match="a message of Standard Webhooks"):
        TIMED.verify(
            request({"x-signature": signature, "x-time": str(NOW)}, f"{NOW}.".encode() + BODY),
            "fake",
        )


@pytest.mark.parametrize(
    ("message", "of_id"), [("POST{body}", "1"), ("POST{body}", ""), ("{body}https://example.com/webhook", "1")]
)
def test_no_message_of_standard_webhooks_counts_as_what_a_partner_signs_with_a_text_around_its_body(
    message: str, of_id: str
) -> None:
    """A forwarder's ids may begin as that text does, or be that text, and its bodies end so."""
    before, after = message.split("{body}")
    headers = standard_webhooks_headers(b"fake", BODY + after.encode(), message_id=before + of_id)
    StandardWebhooksProof().verify(request(headers, BODY + after.encode()), "fake")
    signature = base64.b64decode(headers["webhook-signature"].removeprefix("v1,")).hex()
    proof = HmacProof("p", "x-signature", message=message)
    with pytest.raises(Unauthenticated, match="a message of Standard Webhooks"):
        proof.verify(request({"x-signature": signature}, f"{of_id}.{NOW}.".encode() + BODY), "fake")
    proof.verify(
        request({"x-signature": hex_hmac("fake", before.encode() + BODY + after.encode())}),
        "fake",
    )


@pytest.mark.parametrize(
    ("proof", "signed"),
    [
        (HmacProof("p", "x-signature"), "the body"),
        (HmacProof("p", "x-signature", message="POST{body}"), "the text POST{body}"),
        (TIMED, f"the text {TIMED.message}"),
    ],
)
def test_a_refusal_says_which_text_should_have_been_signed(proof: Proof, signed: str) -> None:
    """So that whoever reads the log sees whether the URL in it is the one that the sender has."""
    with pytest.raises(Unauthenticated) as refusal:
        proof.verify(request({"x-signature": OTHER, "x-time": str(NOW)}), "fake")
    assert str(refusal.value) == f"x-signature does not match {signed}"


@pytest.mark.parametrize("between", [",", ", ", " ,", "  ,  "])
def test_between_the_signatures_of_a_list_may_be_blanks(between: str) -> None:
    """A header that stands there twice is joined by a comma, and by proxies by a comma and a blank."""
    listed = between.join(["v1=0", f"v1={hex_hmac('fake', BODY)}", "v1=1"])
    HmacProof("p", "x-signature", prefix="v1=", listed=True).verify(request({"x-signature": listed}), "fake")
    with pytest.raises(Unauthenticated):
        HmacProof("p", "x-signature", prefix="v1=").verify(request({"x-signature": listed}), "fake")


BESIDE = SENDERS["hex behind the time in one header"]
SIGNED = hex_hmac(BESIDE.secret, f"{NOW}.".encode() + BODY)
OTHER = "0" * 64


@pytest.mark.parametrize(
    "header",
    [
        f"t={NOW}, v1={SIGNED}",
        f"t={NOW};v1={SIGNED}",
        f"v1={SIGNED},t={NOW}",
        f"t={NOW},v1={OTHER},v0={OTHER},v1={SIGNED}",
        f"t={NOW},v1={OTHER} t={NOW},v1={SIGNED}",
    ],
)
def test_a_time_and_its_signatures_stand_in_one_header_in_any_order(header: str) -> None:
    BESIDE.proof.verify(request({"x-signature": header}), BESIDE.secret)
    assert refuses(BESIDE, {"x-signature": header.replace(SIGNED, OTHER)})


@pytest.mark.parametrize("moment", [NOW - 301, NOW + 301, RECEIVED_AT, "", "now", f"0{NOW}"])
def test_a_time_beside_its_signature_has_to_be_one_and_of_now(moment: object) -> None:
    signed = hex_hmac(BESIDE.secret, f"{moment}.".encode() + BODY)
    assert refuses(BESIDE, {"x-signature": f"t={moment},v1={signed}"})


@pytest.mark.parametrize("header", [f"v1={SIGNED}", f"t={NOW - 1},t={NOW},v1={SIGNED}", f"t={NOW},t=,v1={SIGNED}"])
def test_without_a_time_or_with_two_no_signature_counts(header: str) -> None:
    assert refuses(BESIDE, {"x-signature": header, "t": str(NOW)})


AFTER = SENDERS["base64 over the body and a time"]


@pytest.mark.parametrize(
    "moment", ["2023-11-14T22:13:20Z", str(NOW), str(RECEIVED_AT), "2023-11-14T23:13:20+01:00", str(NOW - 299)]
)
def test_where_the_form_of_a_time_is_open_every_form_counts(moment: str) -> None:
    AFTER.proof.verify(request(timed_after(AFTER.secret, BODY, moment)), AFTER.secret)


@pytest.mark.parametrize(
    "moment",
    [
        *(str(NOW - 301), str(NOW + 301), "2023-11-14T22:13:20+01:00", "0", "now", "NaN", "9" * 400, "-1"),
        *(f" {NOW}", f"{NOW}\u00a0"),
    ],
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
    proof = TimestampedHmacProof("p", "x-signature", "{body}{timestamp}", "x-time", any_time=any_time)
    headers = {"x-signature": hex_hmac("fake", b"payload=%7B%7D&amount=100" + str(NOW).encode())}
    proof.verify(request({**headers, "x-time": str(NOW)}, b"payload=%7B%7D&amount=100"), "fake")
    with pytest.raises(Unauthenticated):
        proof.verify(request({**headers, "x-time": f"00{NOW}"}, b"payload=%7B%7D&amount=1"), "fake")
    headers = {"x-signature": hex_hmac("fake", f"amount= 00{NOW}".encode()), "x-time": f" 00{NOW}"}
    with pytest.raises(Unauthenticated):
        proof.verify(request(headers, b"amount="), "fake")


@pytest.mark.parametrize(
    ("signed", "cut"),
    [
        ("1771800000123", 3),  # milliseconds, of 2026-02-22, as seconds of 2027-01-15
        ("1771771800000123", 3),  # microseconds, of 2026-02-22, as milliseconds of 2026-02-22 but some hours later
        ("1771801772000123", 6),  # microseconds, as seconds
        ("1771800001772000123", 9),  # nanoseconds, as seconds
        ("1771771771771", 3),  # at the very moment
        ("1511790000123", 3),  # milliseconds, of 2017-11-27, as seconds of 2026-09-21
    ],
)
def test_no_beginning_of_the_time_can_pass_for_the_end_of_a_body(signed: str, cut: int) -> None:
    """It would be a time of later, when the recorded signature counted again, over another body."""
    proof = TimestampedHmacProof("p", "x-signature", "{body}{timestamp}", "x-time", any_time=True)
    headers = {"x-signature": hex_hmac("fake", BODY + signed.encode()), "x-time": signed}
    proof.verify(request(headers, received_at=milliseconds(signed)), "fake")
    later = headers | {"x-time": signed[cut:]}
    with pytest.raises(Unauthenticated, match="beginning of the signed timestamp"):
        proof.verify(request(later, BODY + signed[:cut].encode(), received_at=milliseconds(signed[cut:])), "fake")


@pytest.mark.parametrize(
    ("message", "end", "signed"),
    [
        ("{body}{timestamp}", "171", "1700000000"),  # seconds of 2023-11-14, as milliseconds of 2024-03-22
        ("{body}{timestamp}", "201", "1700000000"),  # of 2033-09-28
        (
            "{body}{timestamp}",
            "170",
            "1700000000123",
        ),  # milliseconds, as microseconds of 2023-11-14 but some hours later
        ("{body}{timestamp}", "171170", "1700000000"),  # as microseconds
        ("{body}{timestamp}", "1710000000.", "1700000000"),  # as the fraction of a second
        ("{body}{timestamp}", "2024-01-01T00:00:00.", "1700000000"),
        ("{body}{timestamp}", "2024-01-01 00:00:00,", "1700000000123"),
        ("{body}.{timestamp}", ".1710000000", "1700000000"),
        ("{body}.{timestamp}", ".2024-01-01T00:00:00", "1700000000"),
        ("POST{body},{timestamp}", ",2024-01-01T00:00:00", "1700000000"),
    ],
)
def test_no_end_of_a_body_can_make_a_later_time_of_the_one_that_is_signed(message: str, end: str, signed: str) -> None:
    """It is refused at once: when the signature counted again, its body would end in no digit any more."""
    proof = TimestampedHmacProof("p", "x-signature", message, "x-time", any_time=True)
    text = message.format(body=BODY.decode() + end, timestamp=signed)
    headers = {"x-signature": hex_hmac("fake", text.encode())}
    moment = text.partition(message.partition("{timestamp}")[0].format(body=BODY.decode()))[2]
    later = milliseconds(moment)
    assert later > milliseconds(signed) + 300_000
    proof.verify(request(headers | {"x-time": moment}, received_at=later), "fake")
    with pytest.raises(Unauthenticated, match="beginning of the signed timestamp"):
        proof.verify(request(headers | {"x-time": signed}, BODY + end.encode()), "fake")


def milliseconds(moment: str) -> int:
    return int(parse_time(moment, "the time").timestamp() * 1000)


@pytest.mark.parametrize(
    "end", ["0", "100", "2577", "1", "999999999", "\u0661", "1 ", "\n", "100.", "9:30:00.", "0,5,"]
)
def test_a_body_may_end_in_digits_that_are_no_beginning_of_a_time(end: str) -> None:
    proof = TimestampedHmacProof("p", "x-signature", "{body}{timestamp}", "x-time", any_time=True)
    for body in (f"amount={end}".encode(), end.encode()):
        headers = {"x-signature": hex_hmac("fake", body + str(NOW).encode()), "x-time": str(NOW)}
        proof.verify(request(headers, body), "fake")


@pytest.mark.parametrize(
    ("message", "signed", "cut"),
    [
        ("{timestamp}{body}", "2023-11-14T22:13:20+05:30", 6),
        ("{timestamp}{body}", "2023-11-14T22:13:20.123-08:00", 6),
        ("{timestamp}{body}", "2023-11-14T22:13:20.123-08:00", 8),
        ("{timestamp}{body}", "2023-11-14T22:13:20.123-08:00", 10),
        ("{timestamp}{body}", "2023-11-14T22:13:20,123-0800", 9),
        ("{timestamp}{body}", "2023-11-14T22:13:20+05:30", 3),
        ("{timestamp}{body}", "2023-11-14T22:13:20 +0530", 2),
        ("{timestamp}{body}", "2023-11-14T22:13:20 +0530", 6),
        ("{timestamp}.{body}", "2023-11-14T22:13:20.123+02:00", 10),
        ("v0:{timestamp}:{body}", "2023-11-14T22:13:20-03:30", 3),
        ("{timestamp} {body}", "2023-11-14T22:13:20 +0200", 6),
        ("{timestamp}+{body}", "2023-11-14T22:13:20+02:00", 6),
    ],
)
def test_no_end_of_the_time_can_pass_for_the_beginning_of_a_body(message: str, signed: str, cut: int) -> None:
    """Without its offset it would be a time of later, when the recorded signature counted again, over another body."""
    proof = TimestampedHmacProof("p", "x-signature", message, "x-time", any_time=True)
    text = message.format(timestamp=signed, body=BODY.decode())
    headers = {"x-signature": hex_hmac("fake", text.encode())}
    proof.verify(request({**headers, "x-time": signed}, received_at=milliseconds(signed)), "fake")
    after = message.partition("{timestamp}")[2]
    moment, rest = signed[:-cut], signed[-cut:] + after.replace("{body}", BODY.decode())
    body = rest[len(after) - len("{body}") :].encode()
    assert text == message.format(timestamp=moment, body=body.decode())
    with pytest.raises(Unauthenticated, match="end of the signed timestamp"):
        proof.verify(request({**headers, "x-time": moment}, body, received_at=milliseconds(moment)), "fake")


@pytest.mark.parametrize(
    "body", [b'{"a": -1}', b"[1]", b'\n{"a": 1}', b"payload=%7B%7D", b"\x1f\x8b0", b"\xef\xbb\xbf{}", b""]
)
def test_a_body_behind_a_time_may_begin_with_all_that_is_no_part_of_one(body: bytes) -> None:
    proof = TimestampedHmacProof("p", "x-signature", "{timestamp}{body}", "x-time", any_time=True)
    for moment in ("2023-11-14T22:13:20Z", str(NOW), str(RECEIVED_AT)):
        proof.verify(request({"x-signature": hex_hmac("fake", moment.encode() + body), "x-time": moment}, body), "fake")


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
