"""The second fence: what comes from elsewhere is refused before it can prove or ask anything, and told nothing."""

from typing import Any

import pytest
from tests.receive.conftest import SECRET, ReceiveFunction
from tests.receive.senders import api_gateway_event, github_headers

from trailhook.errors import SettingsError
from trailhook.settings import ReceiveSettings
from trailhook.source_ranges import SourceRanges

BODY = b'{"action": "added"}'
REQUIRED = {"PARTNER": "github", "DELIVERY_QUEUE_URL": "https://sqs.example/q", "WEBHOOK_SECRET_ARN": "arn"}
RANGES = ("192.0.2.0/24", "2001:db8::/32")


def genuine(source_ip: str, **changes: str) -> dict[str, Any]:
    event = api_gateway_event(BODY, github_headers(SECRET, BODY, "member"))
    event["requestContext"]["http"] |= {"sourceIp": source_ip, **changes}
    return event


@pytest.mark.parametrize(
    "address", ["192.0.2.0", "192.0.2.255", "2001:db8::1", "2001:0DB8:0:0:0:0:0:1", "::ffff:192.0.2.10"]
)
def test_an_address_within_a_range_is_held(address: str) -> None:
    assert SourceRanges.parse(RANGES).hold(address)


@pytest.mark.parametrize(
    "address",
    [
        "192.0.3.0",
        "198.51.100.1",
        "2001:db9::1",
        "::ffff:198.51.100.1",
        "::1",
        "",
        "192.0.2",
        "192.0.2.10, 198.51.100.1",
    ],
)
def test_an_address_outside_and_what_is_none_are_not(address: str) -> None:
    assert not SourceRanges.parse(RANGES).hold(address)


@pytest.mark.parametrize("address", ["198.51.100.1", "::1", ""])
def test_without_ranges_every_address_is_held(address: str) -> None:
    assert SourceRanges().hold(address)


def test_bits_beyond_the_prefix_are_ignored() -> None:
    assert SourceRanges.parse(("192.0.2.10/24",)) == SourceRanges.parse(("192.0.2.0/24",))


@pytest.mark.parametrize("word", ["::ffff:192.0.2.0/120", "::FFFF:c000:200/120", "::ffff:192.0.2.7/120"])
def test_a_range_of_ipv4_addresses_may_be_written_as_one_of_ipv6(word: str) -> None:
    ranges = SourceRanges.parse((word,))
    assert all(ranges.hold(one) for one in ("192.0.2.10", "::ffff:192.0.2.10"))
    assert not any(ranges.hold(one) for one in ("192.0.3.0", "::c000:20a", "2001:db8::1"))


def test_a_single_ipv4_address_written_as_one_of_ipv6_holds_that_one() -> None:
    ranges = SourceRanges.parse(("::ffff:192.0.2.11/128",))
    assert ranges.hold("192.0.2.11")
    assert not any(ranges.hold(one) for one in ("192.0.2.10", "192.0.2.12"))


def test_all_ipv4_addresses_may_be_written_so_too_and_are_no_others() -> None:
    ranges = SourceRanges.parse(("::ffff:0:0/96",))
    assert ranges.hold("255.255.255.255")
    assert not ranges.hold("2001:db8::1")


@pytest.mark.parametrize("value", ["192.0.2.0/33", "hooks.example.com", "192.0.2.0/24;198.51.100.0/24", "2001:db8::/x"])
def test_a_range_that_is_none_is_refused_by_the_settings_name(value: str) -> None:
    with pytest.raises(SettingsError, match="ALLOWED_SOURCE_RANGES"):
        ReceiveSettings.from_environ({**REQUIRED, "ALLOWED_SOURCE_RANGES": value})


def test_a_genuine_delivery_from_within_is_queued(function: ReceiveFunction) -> None:
    function.configure(PARTNER="github", ALLOWED_SOURCE_RANGES=",".join(RANGES))
    assert function(genuine("192.0.2.10"))[0] == 202
    assert len(function.queued()) == 1


def test_a_genuine_delivery_from_elsewhere_is_answered_like_a_forged_one(function: ReceiveFunction) -> None:
    function.configure(PARTNER="github", ALLOWED_SOURCE_RANGES=",".join(RANGES))
    forged = genuine("192.0.2.10")
    forged["headers"]["x-hub-signature-256"] = "sha256=" + "0" * 64
    assert function(genuine("198.51.100.1")) == function(forged)
    assert not function.queued()
    outside, unproven = (line["refused"] for line in function.log_lines() if line.get("status") == 401)
    assert "ALLOWED_SOURCE_RANGES" in outside
    assert "ALLOWED_SOURCE_RANGES" not in unproven


def test_a_handshake_from_elsewhere_is_not_answered_but_counted(
    function: ReceiveFunction, capsys: pytest.CaptureFixture[str]
) -> None:
    function.configure(PARTNER="okta", ALLOWED_SOURCE_RANGES=",".join(RANGES))
    event = genuine("198.51.100.1", method="GET")
    event["headers"]["x-okta-verification-challenge"] = "echo-me"
    status, body, _ = function(event)
    assert status == 401
    assert body["message"] == "Unauthorized"
    assert "DeliveriesUnauthenticated" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("path", "method", "expected"), [("/.env", "GET", 404), ("/", "POST", 404), ("/webhook", "PUT", 405)]
)
def test_who_asks_for_something_else_is_answered_alike_from_everywhere_and_rings_nothing(
    function: ReceiveFunction, capsys: pytest.CaptureFixture[str], path: str, method: str, expected: int
) -> None:
    """A scanner's requests would be nearly all that an hour has, and their answer would tell that there is a fence."""
    function.configure(PARTNER="okta", ALLOWED_SOURCE_RANGES=",".join(RANGES))
    within, elsewhere = (
        function({**genuine(address, method=method), "rawPath": path}) for address in ("192.0.2.10", "198.51.100.1")
    )
    assert within == elsewhere
    assert elsewhere[0] == expected
    assert "DeliveriesUnauthenticated" not in capsys.readouterr().out
