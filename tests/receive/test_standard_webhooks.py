"""Standard Webhooks: time, id, list of signatures, key."""

import base64

import pytest
from tests.cpu_time import cost_ratio
from tests.receive.proof_senders import BODY, FIRST_KEY, ed25519_headers, public, request
from tests.receive.senders import NOW, RECEIVED_AT, standard_webhooks_headers

from trailhook.errors import Unauthenticated
from trailhook.proofs import StandardWebhooksProof


def test_a_list_of_ed25519_signatures_costs_no_pass_over_a_large_body_for_each() -> None:
    body = b"x" * 1_000_000

    def refused(signatures: int) -> None:
        listed = f"v1a,{'A' * 86}== " * signatures
        with pytest.raises(Unauthenticated):
            StandardWebhooksProof().verify(
                request(standard_webhooks_headers(b"", body) | {"webhook-signature": listed}, body), public(FIRST_KEY)
            )

    assert cost_ratio(lambda: refused(300), lambda: refused(1)) < 20, "five of them count"


def test_the_fifth_of_a_list_of_ed25519_signatures_is_the_last_that_counts() -> None:
    headers = ed25519_headers(public(FIRST_KEY), BODY)
    genuine, other = headers["webhook-signature"], f"v1a,{'A' * 86}=="
    StandardWebhooksProof().verify(
        request(headers | {"webhook-signature": " ".join([*[other] * 4, genuine])}), public(FIRST_KEY)
    )
    with pytest.raises(Unauthenticated):
        StandardWebhooksProof().verify(
            request(headers | {"webhook-signature": " ".join([*[other] * 5, genuine])}), public(FIRST_KEY)
        )


@pytest.mark.parametrize("key", ["whpk_", "whpk_AAAA", "whpk_not base64", f"whpk_{'A' * 44}", "whpk_\N{SNOWMAN}"])
def test_a_broken_public_key_refuses_everything_and_raises_nothing_else(key: str) -> None:
    with pytest.raises(Unauthenticated):
        StandardWebhooksProof().verify(request(ed25519_headers(public(FIRST_KEY), BODY)), key)


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


def test_of_both_families_the_own_signature_counts_and_none_makes_a_broken_one_good() -> None:
    both = standard() | standard_webhooks_headers(KEY, BODY, family="svix")
    StandardWebhooksProof().verify(request(both | {"svix-signature": "v1,AAAA"}), SECRET)
    with pytest.raises(Unauthenticated):
        StandardWebhooksProof().verify(request(both | {"webhook-signature": "v1,AAAA"}), SECRET)


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
