"""How a subscription to an Amazon SNS topic is confirmed, and that nothing else causes that."""

import json
from typing import Any

import pytest
from tests.receive.senders import standard_webhooks_headers
from tests.receive.sns_endpoint import OTHER_TOPIC, Endpoint
from tests.receive.sns_sender import (
    CERTIFICATE_URL,
    CONFIRM_URL,
    CONFIRMED,
    TOKEN,
    TOPIC,
    about_subscription,
    key,
    notification,
    signed,
)

from trailhook.https import Fetched


def test_a_subscription_to_the_topic_is_confirmed_at_its_own_host_and_not_queued() -> None:
    endpoint = Endpoint()
    endpoint.fetcher.pages[CONFIRM_URL] = Fetched(200, CONFIRMED)
    assert endpoint.post(signed(about_subscription())).status == 200
    assert endpoint.fetcher.asked == [CERTIFICATE_URL, CONFIRM_URL]
    assert endpoint.log["handshake"] is True


def test_the_url_in_the_message_is_never_visited() -> None:
    endpoint = Endpoint()
    endpoint.fetcher.pages[CONFIRM_URL] = Fetched(200, CONFIRMED)
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
        endpoint.fetcher.pages[CONFIRM_URL] = Fetched(200, CONFIRMED)
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


def test_a_confirmation_that_sns_cannot_be_asked_for_is_an_outage() -> None:
    endpoint = Endpoint()
    assert endpoint.post(signed(notification())).status == 202, "its certificate is known from now on"
    endpoint.fetcher.down = True
    assert endpoint.post(signed(about_subscription())).status == 503
    endpoint.fetcher.down = False
    endpoint.fetcher.pages[CONFIRM_URL] = Fetched(200, CONFIRMED)
    assert endpoint.post(signed(about_subscription())).status == 200


@pytest.mark.parametrize("body", [b"", b"<html>", b"<ConfirmSubscriptionResponse/>"])
def test_an_answer_that_does_not_name_the_subscription_confirms_nothing(body: bytes) -> None:
    """SNS asks no second time after a 2xx, and the subscription would stay pending."""
    endpoint = Endpoint()
    endpoint.fetcher.pages[CONFIRM_URL] = Fetched(200, body)
    assert endpoint.post(signed(about_subscription())).status == 503
    assert TOKEN not in json.dumps(endpoint.log)
    endpoint.fetcher.pages[CONFIRM_URL] = Fetched(200, CONFIRMED)
    assert endpoint.post(signed(about_subscription())).status == 200


def test_the_end_of_a_subscription_is_an_event_and_nothing_is_renewed() -> None:
    endpoint = Endpoint()
    assert endpoint.post(signed(about_subscription("UnsubscribeConfirmation"))).status == 202
    assert endpoint.fetcher.asked == [CERTIFICATE_URL]


@pytest.mark.parametrize(
    "message",
    [
        notification(Message="SubscriptionConfirmation"),
        about_subscription("UnsubscribeConfirmation", Message="It ends the SubscriptionConfirmation of May."),
    ],
    ids=["a notification", "the end of a subscription"],
)
def test_a_message_that_only_speaks_of_a_confirmation_is_an_event(message: dict[str, Any]) -> None:
    endpoint = Endpoint()
    endpoint.fetcher.pages[CONFIRM_URL] = Fetched(200, CONFIRMED)
    assert endpoint.post(signed(message)).status == 202
    assert endpoint.fetcher.asked == [CERTIFICATE_URL]
