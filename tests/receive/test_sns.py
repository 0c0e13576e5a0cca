"""Amazon SNS over HTTPS: what proves a message, where certificates come from, how a subscription is confirmed."""

import base64
import gc
import json
import sys
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from tests.fakes import MemoryClock, MemoryFetcher, MemorySecretStore, MemorySender
from tests.receive.senders import NOW, RECEIVED_AT, api_gateway_event, standard_webhooks_headers
from tests.receive.sns_sender import (
    CERTIFICATE_URL,
    HEADERS,
    HOST,
    TOKEN,
    TOPIC,
    about_subscription,
    certificate,
    key,
    notification,
    signed,
    time_text,
)

from trailhook.assembly.receive import receive_limits
from trailhook.errors import Unauthenticated
from trailhook.gateway import Response
from trailhook.https import Fetched
from trailhook.partner import Options
from trailhook.partners import cloudstoragesecurity
from trailhook.receive import Receiver
from trailhook.sns_certificates import FETCHES, Topic
from trailhook.webhook_secret import WebhookSecret

FILE = "/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem"
OTHER_TOPIC = TOPIC + "2"


class Endpoint:
    """The partner's endpoint as receive serves it, over an SNS in memory."""

    def __init__(self, secret: str = TOPIC, pem: bytes | None = None) -> None:
        self.fetcher = MemoryFetcher({CERTIFICATE_URL: Fetched(200, pem or certificate())})
        self.sender = MemorySender()
        self.store = MemorySecretStore()
        self.store.put(secret, at=0)
        secret_versions = WebhookSecret(self.store, grace_hours=24, now=MemoryClock(NOW).now)
        partner = cloudstoragesecurity.partner(Options(), self.fetcher)
        self.receiver = Receiver(partner, secret_versions, self.sender)
        self.log: Mapping[str, Any] = {}

    def post(self, body: bytes | str, headers: Mapping[str, str] = HEADERS, received_at: int = RECEIVED_AT) -> Response:
        """The answer; what is queued is what got 202."""
        before = len(self.sender.messages)
        answer = self.receiver.answer(api_gateway_event(body, headers, received_at=received_at))
        self.log = answer.log
        assert (len(self.sender.messages) > before) is (answer.response.status == 202)
        return answer.response

    def refuses(self, body: bytes | str, because: str, headers: Mapping[str, str] = HEADERS) -> bool:
        """Whether the answer is 401, for this reason and none that an earlier check would give."""
        return self.post(body, headers).status == 401 and because in self.log["refused"]


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
    "not a text": ({"Signature": 1}, "Signature is missing"),
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


def cheapest(do: Callable[[], object]) -> float:
    """Seconds of CPU, the least of three, without coverage at each call and what other tests left to collect."""
    tracing = sys.gettrace()
    sys.settrace(None)
    gc.disable()
    try:
        return min(cpu_of(do) for _ in range(3))
    finally:
        gc.enable()
        sys.settrace(tracing)


def cpu_of(do: Callable[[], object]) -> float:
    began = time.process_time()
    assert do()
    return time.process_time() - began


@pytest.mark.parametrize("unit", ["0e1,", "1,", "1.5,", "9" * 30 + ",", "[],", "{},", '{"a":1e5},'])
def test_a_body_that_anybody_may_send_takes_little_longer_than_to_parse_it(unit: str) -> None:
    """Measured: one to three times as long; with a look at every number it was up to seventy times."""
    genuine = signed(notification()).decode()
    body = genuine.replace("{", '{"extra": [' + unit * ((1_990_000 - len(genuine)) // len(unit)) + "1],", 1)
    forged = body.replace(TOPIC, OTHER_TOPIC).encode()
    parsing = cheapest(lambda: json.loads(forged))
    refusing = cheapest(lambda: Endpoint().refuses(forged, "TopicArn is not the webhook secret"))
    assert refusing < 20 * parsing
    assert Endpoint().post(body.encode()).status == 202, "what SNS does not sign may be anything"


def test_raw_message_delivery_cannot_be_proven_and_the_log_says_what_to_switch_off() -> None:
    raw = {**HEADERS, "x-amz-sns-rawdelivery": "true"}
    assert Endpoint().refuses(b'{"bucket":"lamps"}', "switch it off", raw)
    assert Endpoint().refuses(signed(notification()), "switch it off", raw)


@pytest.mark.parametrize(
    "secret", ["fakeFAKEfakeFAKEfakeFAKEfakeFAKEfakeFAKEfake", "arn:aws:sqs:eu-central-1:111122223333:q", "#"]
)
def test_a_secret_that_is_no_topic_proves_no_message_of_sns(secret: str) -> None:
    assert Endpoint(secret).refuses(signed(notification()), "not the ARN of an SNS topic")


# Where certificates may come from.

CHINESE = "arn:aws-cn:sns:cn-north-1:111122223333:topic"


@pytest.mark.parametrize(
    ("arn", "host", "name"),
    [
        (TOPIC, HOST, "sns.amazonaws.com"),
        (
            "arn:aws:sns:af-south-1:111122223333:t",
            "sns.af-south-1.amazonaws.com",
            "sns-signing.af-south-1.amazonaws.com",
        ),
        (CHINESE, "sns.cn-north-1.amazonaws.com.cn", "sns-cn-north-1.amazonaws.com.cn"),
        (
            "arn:aws-us-gov:sns:us-gov-east-1:111122223333:t",
            "sns.us-gov-east-1.amazonaws.com",
            "sns-us-gov-west-1.amazonaws.com",
        ),
        (
            "arn:aws-eusc:sns:eusc-de-east-1:111122223333:t",
            "sns.eusc-de-east-1.amazonaws.eu",
            "sns-signing.eusc-de-east-1.amazonaws.eu",
        ),
    ],
)
def test_a_topic_has_one_host_and_the_names_that_aws_issues_its_certificates_to(arn: str, host: str, name: str) -> None:
    """Names: AWS SDK for Java, sns-message-manager."""
    topic = Topic.of(arn)
    assert topic
    assert topic.host == host
    assert name in topic.certificate_names
    assert topic.certificate_path(f"https://{host}{FILE}") == FILE


@pytest.mark.parametrize(
    "arn",
    [
        "",
        "arn:aws:sns:eu-central-1:111122223333:",
        "arn:aws:sns:eu-central-1:111122223333:topic\n",
        "arn:aws:sns:eu-central-1.evil.example/:111122223333:topic",
        "arn:aws:sns:evil.example:111122223333:topic",
        "arn:aws-evil:sns:eu-central-1:111122223333:topic",
        "arn:aws:sqs:eu-central-1:111122223333:topic",
        f"{TOPIC}:c9135db0-26c4-47ec-8998-413945fb5a96",
        f"x{TOPIC}",
    ],
)
def test_what_is_no_topic_has_no_host(arn: str) -> None:
    assert Topic.of(arn) is None


FOREIGN_URLS = [
    f"http://{HOST}{FILE}",
    f"HTTPS://{HOST}{FILE}",
    f"https://{HOST}:443{FILE}",
    f"https://{HOST}:8443{FILE}",
    f"https://{HOST}.{FILE}",
    f"https://{HOST}.evil.example{FILE}",
    f"https://evil.example/{HOST}{FILE}",
    f"https://evil.example#{HOST}{FILE}",
    f"https://evil.example?{HOST}{FILE}",
    f"https://evil.example\\@{HOST}{FILE}",
    f"https://{HOST}@evil.example{FILE}",
    f"https://user:password@{HOST}{FILE}",
    f"https://sns.us-east-1.amazonaws.com{FILE}",
    f"https://sns.eu-central-1.amazonaws.com.cn{FILE}",
    f"https://snsXeu-central-1Xamazonaws.com{FILE}",
    f"https://sns.amazonaws.com{FILE}",
    f"https://bucket.s3.eu-central-1.amazonaws.com{FILE}",
    f"https://169.254.169.254{FILE}",
    f"https://{HOST}/latest/meta-data",
    f"https://{HOST}/?Action=Publish&x={FILE}",
    f"https://{HOST}{FILE}?x",
    f"https://{HOST}{FILE}#x",
    f"https://{HOST}/x/..{FILE}",
    f"https://{HOST}/{FILE}",
    f"https://{HOST}/SimpleNotificationService-.pem",
    f"https://{HOST}/SimpleNotificationService-../../x.pem",
    f"https://{HOST}/SimpleNotificationService-%2e%2e.pem",
    f"https://{HOST}{FILE}\n",
    f"https://{HOST}{FILE}\r\nHost: evil.example",
    f" https://{HOST}{FILE}",
    f"//{HOST}{FILE}",
    "file:///etc/passwd",
    "",
]


@pytest.mark.parametrize("url", FOREIGN_URLS)
def test_a_certificate_from_anywhere_else_is_never_fetched(url: str) -> None:
    endpoint = Endpoint()
    assert endpoint.refuses(signed(notification(SigningCertURL=url)), "SigningCertURL is not a certificate of")
    assert endpoint.fetcher.asked == []


BROKEN_NAMES = x509.UnrecognizedExtension(x509.SubjectAlternativeName.oid, b"none")
BAD_CERTIFICATES: dict[str, tuple[bytes, str]] = {
    "expired": (certificate(days=(-100, -1)), "not valid at the time"),
    "not valid yet": (certificate(days=(1, 100)), "not valid at the time"),
    "of another service": (certificate(names=["sqs.amazonaws.com"]), "not one of SNS"),
    "of another Region": (certificate(names=["sns-signing.af-south-1.amazonaws.com"]), "not one of SNS"),
    "of a subdomain": (certificate(names=["sns.amazonaws.com.evil.example"]), "not one of SNS"),
    "with the name in its subject, but others beside": (certificate(names=["evil.example"]), "not one of SNS"),
    "an authority's": (certificate(authority=True), "not one of SNS"),
    "with a short key": (certificate(key(2, 1024)), "RSA key"),
    "with another kind of key": (certificate(ec.generate_private_key(ec.SECP256R1())), "RSA key"),
    "with names that are none": (certificate(names=[], more=BROKEN_NAMES), "cannot be read"),
    "not a certificate": (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "no certificate"),
    "a page": (b"<html>", "no certificate"),
}


@pytest.mark.parametrize(("pem", "because"), BAD_CERTIFICATES.values(), ids=BAD_CERTIFICATES.keys())
def test_a_certificate_that_is_none_of_snss_proves_nothing_and_is_not_kept(pem: bytes, because: str) -> None:
    endpoint = Endpoint(pem=pem)
    assert endpoint.refuses(signed(notification()), because)
    endpoint.fetcher.pages[CERTIFICATE_URL] = Fetched(200, certificate())
    assert endpoint.post(signed(notification())).status == 202


@pytest.mark.parametrize("names", [[], [HOST], ["evil.example", "sns.amazonaws.com"], [f"sns-signing.{HOST[4:]}"]])
def test_a_certificate_may_carry_any_name_of_snss(names: list[str]) -> None:
    assert Endpoint(pem=certificate(names=names)).post(signed(notification())).status == 202


def test_a_certificate_need_not_say_that_it_is_no_authority() -> None:
    assert Endpoint(pem=certificate(authority=None)).post(signed(notification())).status == 202


def test_so_many_certificates_are_kept_and_the_oldest_makes_room() -> None:
    endpoint = Endpoint()
    urls = [f"https://{HOST}/SimpleNotificationService-{number:032x}.pem" for number in range(9)]
    endpoint.fetcher.pages |= dict.fromkeys(urls, endpoint.fetcher.pages[CERTIFICATE_URL])
    for url in [*urls, urls[1], urls[8], urls[0]]:
        assert endpoint.post(signed(notification(SigningCertURL=url))).status == 202
    assert endpoint.fetcher.asked == [*urls, urls[0]]


def test_a_kept_certificate_counts_no_longer_than_it_is_valid() -> None:
    endpoint = Endpoint(pem=certificate(days=(-1, 1)))
    later = 2 * 86_400
    assert endpoint.post(signed(notification())).status == 202
    sent_later = signed(notification(Timestamp=time_text(later)))
    assert endpoint.post(sent_later, received_at=RECEIVED_AT + later * 1000).status == 401


def test_while_sns_does_not_hand_out_its_certificate_it_is_asked_to_send_again() -> None:
    endpoint = Endpoint()
    endpoint.fetcher.down = True
    assert endpoint.post(signed(notification())).status == 503
    endpoint.fetcher.down = False
    for status in (429, 500, 503):
        endpoint.fetcher.pages[CERTIFICATE_URL] = Fetched(status, b"")
        assert endpoint.post(signed(notification())).status == 503
    for status in (301, 403, 404):
        endpoint.fetcher.pages[CERTIFICATE_URL] = Fetched(status, certificate())
        assert endpoint.refuses(signed(notification()), "no such certificate")


def test_a_flood_of_certificates_that_there_are_not_causes_few_fetches_and_hides_no_known_one() -> None:
    endpoint = Endpoint()
    assert endpoint.post(signed(notification())).status == 202
    for number in range(FETCHES + 30):
        forged = notification(SigningCertURL=f"https://{HOST}/SimpleNotificationService-{number:032x}.pem")
        assert endpoint.post(signed(forged, private_key=key(1))).status in {401, 503}
    assert FETCHES <= len(endpoint.fetcher.asked) < FETCHES + 30
    assert endpoint.post(signed(notification())).status == 202


def test_what_the_proof_fetches_is_taken_out_of_receives_patience() -> None:
    fetch_seconds = cloudstoragesecurity.partner(Options(), MemoryFetcher()).fetch_seconds
    secret, queue = (
        limits.connect_timeout + limits.read_timeout  # type: ignore[attr-defined] # botocore sets its options late
        for limits in receive_limits(2, fetch_seconds)
    )
    assert 2 * secret + queue + fetch_seconds == pytest.approx(2)
    assert 2 * fetch_seconds < 2 - 2 * secret, "a subscription's confirmation is fetched instead of queued"


# Subscriptions.

CONFIRM_URL = f"https://{HOST}/?Action=ConfirmSubscription&TopicArn={TOPIC.replace(':', '%3A')}&Token={TOKEN}"


def test_a_subscription_to_the_topic_is_confirmed_at_its_own_host_and_not_queued() -> None:
    endpoint = Endpoint()
    endpoint.fetcher.pages[CONFIRM_URL] = Fetched(200, b"<ConfirmSubscriptionResponse/>")
    assert endpoint.post(signed(about_subscription())).status == 200
    assert endpoint.fetcher.asked == [CERTIFICATE_URL, CONFIRM_URL]
    assert endpoint.log["handshake"] is True


def test_the_url_in_the_message_is_never_visited() -> None:
    endpoint = Endpoint()
    endpoint.fetcher.pages[CONFIRM_URL] = Fetched(200, b"")
    assert endpoint.post(signed(about_subscription(SubscribeURL="https://evil.example/?Token=x"))).status == 200
    assert endpoint.fetcher.asked == [CERTIFICATE_URL, CONFIRM_URL]


def test_nothing_unproven_is_confirmed() -> None:
    for body in (
        signed(about_subscription(), private_key=key(1)),
        signed(about_subscription(TopicArn=OTHER_TOPIC)),
        json.dumps(json.loads(signed(about_subscription())) | {"Token": "another"}).encode(),
        json.dumps(json.loads(signed(about_subscription())) | {"Type": "Notification"}).encode(),
        signed(about_subscription(Token="a\nTopicArn\nb")),
    ):
        endpoint = Endpoint()
        endpoint.fetcher.pages[CONFIRM_URL] = Fetched(200, b"")
        assert endpoint.post(body).status == 401
        assert CONFIRM_URL not in endpoint.fetcher.asked


def test_what_only_standard_webhooks_signs_confirms_nothing_and_is_queued() -> None:
    endpoint = Endpoint()
    body = signed(about_subscription(), private_key=key(1))
    assert endpoint.post(body, standard_webhooks_headers(TOPIC.encode(), body)).status == 202
    assert endpoint.fetcher.asked == [CERTIFICATE_URL]


@pytest.mark.parametrize(("status", "answer"), [(400, 400), (403, 400), (302, 400), (429, 503), (500, 503)])
def test_a_confirmation_that_sns_does_not_take_is_no_success(status: int, answer: int) -> None:
    endpoint = Endpoint()
    endpoint.fetcher.pages[CONFIRM_URL] = Fetched(status, b"")
    assert endpoint.post(signed(about_subscription())).status == answer


def test_the_end_of_a_subscription_is_an_event_and_nothing_is_renewed() -> None:
    endpoint = Endpoint()
    assert endpoint.post(signed(about_subscription("UnsubscribeConfirmation"))).status == 202
    assert endpoint.fetcher.asked == [CERTIFICATE_URL]


# Standard Webhooks beside SNS.


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


def test_a_foreign_url_says_only_in_the_log_which_host_it_should_have_been() -> None:
    topic = Topic.of(TOPIC)
    assert topic
    with pytest.raises(Unauthenticated, match=HOST):
        topic.certificate_path("https://evil.example/x.pem")
