"""From where Amazon SNS's signing certificates may come, and what must be true of them."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from tests.fakes import MemoryFetcher
from tests.receive.senders import RECEIVED_AT
from tests.receive.sns_endpoint import Endpoint
from tests.receive.sns_sender import CERTIFICATE_URL, HOST, TOPIC, certificate, key, notification, signed, time_text

from trailhook.assembly.receive import closed_seconds, receive_limits
from trailhook.errors import Unauthenticated
from trailhook.https import Fetched
from trailhook.partner import Options
from trailhook.partners import cloudstoragesecurity
from trailhook.sns_certificates import FETCHES, Topic

FILE = "/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem"
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
    "of GovCloud": (certificate(names=["sns-us-gov-west-1.amazonaws.com"]), "not one of SNS"),
    "of a subdomain": (certificate(names=["sns.amazonaws.com.evil.example"]), "not one of SNS"),
    "with the name in its subject, but others beside": (certificate(names=["evil.example"]), "not one of SNS"),
    "an authority's": (certificate(authority=True), "not one of SNS"),
    "with a short key": (certificate(key(2, 1024)), "RSA key"),
    "with another kind of key": (certificate(ec.generate_private_key(ec.SECP256R1())), "RSA key"),
    "with names that are none": (certificate(names=[], more=BROKEN_NAMES), "cannot be read"),
}


@pytest.mark.parametrize(("pem", "because"), BAD_CERTIFICATES.values(), ids=BAD_CERTIFICATES.keys())
def test_a_certificate_that_is_none_of_snss_proves_nothing_and_is_not_kept(pem: bytes, because: str) -> None:
    endpoint = Endpoint(pem=pem)
    assert endpoint.refuses(signed(notification()), because)
    endpoint.fetcher.pages[CERTIFICATE_URL] = Fetched(200, certificate())
    assert endpoint.post(signed(notification())).status == 202


@pytest.mark.parametrize(
    "body",
    [b"<html>", b"", certificate()[:500], b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"],
    ids=["a page", "nothing", "half of it", "another text"],
)
def test_what_is_no_certificate_is_no_answer_of_snss_and_calls_nobody_a_forger(body: bytes) -> None:
    endpoint = Endpoint()
    endpoint.fetcher.pages[CERTIFICATE_URL] = Fetched(200, body)
    assert endpoint.post(signed(notification())).status == 503
    assert "is no certificate" in endpoint.log["refused"]
    endpoint.fetcher.pages[CERTIFICATE_URL] = Fetched(200, certificate())
    assert endpoint.post(signed(notification())).status == 202


@pytest.mark.parametrize("names", [[], [HOST], ["evil.example", "sns.amazonaws.com"], [f"sns-signing.{HOST[4:]}"]])
def test_a_certificate_may_carry_any_name_of_snss(names: list[str]) -> None:
    assert Endpoint(pem=certificate(names=names)).post(signed(notification())).status == 202


def test_a_certificate_need_not_say_that_it_is_no_authority() -> None:
    assert Endpoint(pem=certificate(authority=None)).post(signed(notification())).status == 202


def test_of_several_certificates_the_first_counts_as_the_leaf_of_a_chain_does() -> None:
    assert Endpoint(pem=certificate() + certificate(key(1), authority=True)).post(signed(notification())).status == 202


def test_so_many_certificates_are_kept_and_the_oldest_makes_room() -> None:
    endpoint = Endpoint()
    urls = [f"https://{HOST}/SimpleNotificationService-{number:032x}.pem" for number in range(9)]
    endpoint.fetcher.pages |= dict.fromkeys(urls, endpoint.fetcher.pages[CERTIFICATE_URL])
    for url in [*urls, *reversed(urls)]:
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
    assert 2 * secret + queue + 3 * closed_seconds(2) + fetch_seconds == pytest.approx(2)
    assert 2 * fetch_seconds < 2 - 2 * secret, "a subscription's confirmation is fetched instead of queued"


def test_a_foreign_url_says_only_in_the_log_which_host_it_should_have_been() -> None:
    topic = Topic.of(TOPIC)
    assert topic
    with pytest.raises(Unauthenticated, match=HOST):
        topic.certificate_path("https://evil.example/x.pem")
