"""What every proof takes and refuses."""

import base64
import json

import pytest
from tests.receive.proof_senders import BODY, FIRST_KEY, SENDERS, Sender, public, refuses, request
from tests.receive.senders import standard_webhooks_headers

from trailhook.errors import Unauthenticated
from trailhook.proofs import StandardWebhooksProof

OTHER_BODY = b'{"b": 2.0, "a": "another delivery"}'
every_sender = pytest.mark.parametrize("sender", SENDERS.values(), ids=SENDERS.keys())
signing = {name: sender for name, sender in SENDERS.items() if sender.signs_body}
every_signing_sender = pytest.mark.parametrize("sender", signing.values(), ids=signing.keys())


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
def test_a_huge_value_proves_nothing(sender: Sender) -> None:
    genuine = sender.sign(sender.secret, BODY)[sender.header]
    for huge in ("a" * 1_000_000, "v1," * 300_000, f"v1,{'A' * 43}= " * 20_000, f"v1a,{'A' * 86}== " * 10_000):
        assert refuses(sender, with_value(sender, huge))
        assert refuses(sender, with_value(sender, huge + genuine[:-4]))


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
