"""Amazon SNS over HTTPS: what proves a message, and what does not."""

import base64
import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from tests.cpu_time import cost_ratio
from tests.receive.senders import NOW, standard_webhooks_headers
from tests.receive.sns_endpoint import OTHER_TOPIC, Endpoint
from tests.receive.sns_sender import (
    CERTIFICATE_URL,
    CONFIRM_URL,
    CONFIRMED,
    HEADERS,
    TOPIC,
    about_subscription,
    key,
    notification,
    signed,
    time_text,
)

from trailhook.https import Fetched

VECTORS = json.loads((Path(__file__).parent / "sns_vectors.json").read_text(encoding="utf-8"))
"""Messages that SNS itself has signed, and its certificate of that time, as an SDK of AWS's publishes them."""


@pytest.mark.parametrize("message", VECTORS["messages"], ids=lambda message: f"version {message['SignatureVersion']}")
def test_what_sns_itself_has_signed_is_queued_and_nothing_near_it(message: dict[str, str]) -> None:
    endpoint = Endpoint(message["TopicArn"])
    endpoint.fetcher.pages[message["SigningCertURL"]] = Fetched(200, VECTORS["certificate"].encode())
    received_at = int(datetime.fromisoformat(message["Timestamp"]).timestamp() * 1000)
    assert endpoint.post(json.dumps(message).encode(), received_at=received_at).status == 202
    for name in ("Message", "MessageId", "Timestamp"):
        altered = message | {name: message[name].replace("7", "8").replace("o", "0")}
        assert endpoint.post(json.dumps(altered).encode(), received_at=received_at).status == 401
    month_later = received_at + 30 * 86_400_000
    later = message | {"Timestamp": "2022-08-27T21:24:00.000Z"}
    assert endpoint.post(json.dumps(later).encode(), received_at=month_later).status == 401
    assert "not valid at the time" in endpoint.log["refused"]


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("members", [{}, {"Subject": None}, {"Message": "A:\n\tB: \u706f\nType\nx\n"}, {"Message": ""}])
def test_a_signed_message_of_the_topic_is_queued(version: str, members: dict[str, Any]) -> None:
    endpoint = Endpoint()
    body = signed(notification(**members), version)
    assert endpoint.post(body).status == 202
    assert endpoint.post(body.decode()).status == 202, "API Gateway hands text/plain over as text"
    assert endpoint.log["proof"] == "sns"
    assert endpoint.fetcher.asked == [CERTIFICATE_URL], "fetched once for a process"


def test_a_null_subject_is_none() -> None:
    body = json.loads(signed(notification(Subject=None))) | {"Subject": None}
    assert Endpoint().post(json.dumps(body).encode()).status == 202


@pytest.mark.parametrize("seconds", [240, -240, -3_600, -3_890])
def test_a_message_is_taken_for_as_long_as_sns_tries_it(seconds: int) -> None:
    assert Endpoint().post(signed(notification(Timestamp=time_text(seconds)))).status == 202


@pytest.mark.parametrize("seconds", [-3_902, -86_400, 301, 86_400])
def test_a_message_that_is_older_or_of_the_future_is_refused_before_anything_is_fetched(seconds: int) -> None:
    endpoint = Endpoint()
    assert endpoint.refuses(signed(notification(Timestamp=time_text(seconds))), "too far from the time of receipt")
    assert endpoint.fetcher.asked == []


@pytest.mark.parametrize(
    "timestamp",
    ["2023-11-14 22:13:20", "2023-11-14T22:13:20", "2023-11-14T22:13:20+00:00", "1700000000", "2023-99-99T00:00:00Z"],
)
def test_a_timestamp_in_another_form_is_none(timestamp: str) -> None:
    assert Endpoint().refuses(signed(notification(Timestamp=timestamp)), "not a time as SNS writes it")


SIGNED = ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]


@pytest.mark.parametrize("name", SIGNED)
def test_no_signed_member_can_be_altered_added_or_left_out(name: str) -> None:
    genuine = json.loads(signed(notification()))
    altered = {"Timestamp": time_text(1), "TopicArn": OTHER_TOPIC, "Type": "UnsubscribeConfirmation"}.get(name, "other")
    without = {member: value for member, value in genuine.items() if member != name}
    for forged in (
        genuine | {name: altered},
        without,
        genuine | {name: genuine[name] + " "},
        genuine | {name: [genuine[name]]},
    ):
        assert Endpoint().post(json.dumps(forged).encode()).status == 401
    bare = json.loads(signed(notification(Subject=None)))
    assert Endpoint().refuses(json.dumps(bare | {"Subject": "added"}).encode(), "Signature does not match")


MUST_FAIL: dict[str, tuple[Mapping[str, Any], str]] = {
    "no signature": ({"Signature": None}, "Signature is missing"),
    "an empty signature": ({"Signature": ""}, "Signature is missing"),
    "a truncated signature": ({"Signature": base64.b64encode(b"x" * 255).decode()}, "shorter than any"),
    "a signature of nothing": ({"Signature": base64.b64encode(b"x" * 256).decode()}, "does not match"),
    "a longer signature": ({"Signature": base64.b64encode(b"x" * 512).decode()}, "does not match"),
    "no base64": ({"Signature": "not base64!"}, "is not base64"),
    "more than base64": ({"Signature": "!" + json.loads(signed(notification()))["Signature"]}, "is not base64"),
    "not a text": ({"Signature": 1}, "Signature is missing"),
    "a list": ({"Signature": ["x"]}, "Signature is missing"),
    "another delivery's signature": (
        {"Signature": json.loads(signed(notification(Message="x")))["Signature"]},
        "does not match",
    ),
    "another algorithm": ({"SignatureVersion": "1"}, "does not match"),
    "an unknown version": ({"SignatureVersion": "3"}, "SignatureVersion"),
    "a version that is a number": ({"SignatureVersion": 2}, "SignatureVersion"),
    "a version that is a list": ({"SignatureVersion": ["2"]}, "SignatureVersion"),
    "no version": ({"SignatureVersion": None}, "SignatureVersion"),
    "no certificate": ({"SigningCertURL": None}, "SigningCertURL"),
    "a certificate that is no text": ({"SigningCertURL": {}}, "SigningCertURL"),
}


@pytest.mark.parametrize(("changes", "because"), MUST_FAIL.values(), ids=MUST_FAIL.keys())
def test_a_forgery_is_refused(changes: Mapping[str, Any], because: str) -> None:
    forged = json.loads(signed(notification())) | changes
    body = json.dumps({name: value for name, value in forged.items() if value is not None}).encode()
    assert Endpoint().refuses(body, because)


def test_another_key_proves_nothing_even_under_the_same_names() -> None:
    assert Endpoint().refuses(signed(notification(), private_key=key(1)), "Signature does not match")


def test_another_topic_proves_nothing_however_well_sns_signs_for_it() -> None:
    endpoint = Endpoint()
    assert endpoint.refuses(signed(notification(TopicArn=OTHER_TOPIC)), "TopicArn is not the webhook secret")
    assert endpoint.fetcher.asked == []


def test_a_former_topic_counts_as_a_former_secret_does() -> None:
    endpoint = Endpoint()
    endpoint.store.put(OTHER_TOPIC, at=NOW)
    for topic in (TOPIC, OTHER_TOPIC):
        assert endpoint.post(signed(notification(TopicArn=topic))).status == 202


def test_an_ambiguous_body_is_refused_since_two_readers_could_read_it_in_two_ways() -> None:
    genuine = signed(notification()).decode()
    for body in (
        genuine.replace("{", '{"Message": "forged",', 1),
        genuine.replace("{", '{"extra": NaN,', 1),
        f"[{genuine}]",
        genuine * 2,
        genuine[:-1],
        "\ud83d",
        "[" * 100_000,
        "",
        "null",
    ):
        assert Endpoint().post(body.encode("utf-8", "surrogatepass")).status == 401


def test_half_a_surrogate_pair_and_lines_where_none_belong_are_refused() -> None:
    genuine = json.loads(signed(notification()))
    assert Endpoint().refuses(json.dumps(genuine | {"Message": "\ud83d"}).encode(), "surrogate")
    for name in ("MessageId", "Subject"):
        assert Endpoint().refuses(signed(notification(**{name: "a\nType\nb"})), f"{name} is missing or not one line")


def test_a_subject_that_is_a_number_is_not_a_missing_one() -> None:
    without = json.loads(signed({name: value for name, value in notification().items() if name != "Subject"}))
    assert Endpoint().post(json.dumps(without).encode()).status == 202
    for number in ("666", "6.66e20", "1e400", "-0"):
        body = json.dumps(without).replace("{", f'{{"Subject": {number}, ', 1)
        assert Endpoint().refuses(body.encode(), "Subject is missing or not one line")


def test_a_body_larger_than_any_message_of_sns_is_not_even_read() -> None:
    assert Endpoint().refuses(b"[" * 2_000_001, "larger than any message")


@pytest.mark.parametrize("unit", ["0e1,", "1,", "1.5,", "9" * 30 + ",", "[],", "{},", '{"a":1e5},'])
def test_a_body_that_anybody_may_send_takes_little_longer_than_to_parse_it(unit: str) -> None:
    """Measured: one to three times as long; with a look at every number it was up to seventy times."""
    genuine = signed(notification()).decode()
    body = genuine.replace("{", '{"extra": [' + unit * ((1_990_000 - len(genuine)) // len(unit)) + "1],", 1)
    forged = body.replace(TOPIC, OTHER_TOPIC).encode()
    assert Endpoint().refuses(forged, "TopicArn is not the webhook secret")
    assert cost_ratio(lambda: Endpoint().post(forged), lambda: json.loads(forged)) < 20
    assert Endpoint().post(body.encode()).status == 202, "what SNS does not sign may be anything"


def test_raw_message_delivery_cannot_be_proven_and_the_log_says_what_to_switch_off() -> None:
    raw = {**HEADERS, "x-amz-sns-rawdelivery": "true"}
    assert Endpoint().refuses(b'{"bucket":"lamps"}', "switch it off", raw)
    assert Endpoint().refuses(signed(notification()), "switch it off", raw)


GENERATED = "fakeFAKEfakeFAKEfakeFAKEfakeFAKEfakeFAKEfake"


@pytest.mark.parametrize("secret", [GENERATED, "arn:aws:sqs:eu-central-1:111122223333:q", "#key"])
def test_under_a_secret_that_is_no_topic_no_message_of_sns_is_taken_and_none_called_forged(secret: str) -> None:
    """SNS tries again after a 5xx, and never after a 4xx: whoever subscribes first has until then to put the ARN."""
    endpoint = Endpoint(secret)
    for body in (signed(notification()), signed(about_subscription())):
        answer = endpoint.post(body)
        assert (answer.status, answer.headers["retry-after"]) == (503, "5")
        assert "not the ARN of an SNS topic; put it with SetWebhookSecretCommand" in endpoint.log["refused"]
    assert endpoint.fetcher.asked == []
    endpoint.fetcher.pages[CONFIRM_URL] = Fetched(200, CONFIRMED)
    endpoint.store.put(TOPIC, at=NOW)
    assert endpoint.post(signed(about_subscription())).status == 200
    assert endpoint.post(signed(notification())).status == 202
    assert endpoint.refuses(signed(notification(), private_key=key(1)), "Signature does not match")


def test_under_a_secret_that_is_no_topic_whatever_is_no_message_of_sns_is_unproven() -> None:
    stale = signed(notification(Timestamp=time_text(-86_400)))
    for body in (b"{}", b'{"Type":"Notification"}', b"not JSON", stale):
        assert Endpoint(GENERATED).post(body).status == 401


def test_a_former_topic_counts_beside_a_secret_that_is_none() -> None:
    endpoint = Endpoint()
    endpoint.store.put(GENERATED, at=NOW)
    assert endpoint.post(signed(notification())).status == 202
    assert endpoint.post(signed(notification(), private_key=key(1))).status == 503


def test_what_asks_for_a_confirmation_under_standard_webhooks_is_queued_whatever_the_secret_is() -> None:
    endpoint = Endpoint(GENERATED)
    body = signed(about_subscription())
    assert endpoint.post(body, standard_webhooks_headers(base64.b64decode(GENERATED), body)).status == 202


def test_what_follows_the_topic_in_the_secret_is_a_key_of_its_own_for_standard_webhooks() -> None:
    secret = f"{TOPIC}#b1946ac92492d2347c6235b4d2611184"
    endpoint = Endpoint(secret)
    body = signed(notification())
    assert endpoint.post(body).status == 202
    assert endpoint.post(body, standard_webhooks_headers(secret.encode(), body)).status == 202
    other = b'{"Type":"Notification"}'
    for known in (TOPIC, "b1946ac92492d2347c6235b4d2611184", f"{TOPIC}#"):
        assert endpoint.post(other, standard_webhooks_headers(known.encode(), other)).status == 401


def test_what_is_sent_again_under_standard_webhooks_needs_nothing_of_sns_however_old_it_is() -> None:
    endpoint = Endpoint()
    body = signed(notification(Timestamp=time_text(-90 * 86_400)))
    endpoint.fetcher.down = True
    assert endpoint.post(body, standard_webhooks_headers(TOPIC.encode(), body)).status == 202
    assert endpoint.fetcher.asked == []
