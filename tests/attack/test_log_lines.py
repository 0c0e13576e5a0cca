"""A log line is paid for by its length: whoever proves nothing makes none long, whatever the request is full of."""

import json

import pytest
from tests.contract.test_contract_table import TABLE
from tests.contract.test_registry import PARTNERS, receiver
from tests.receive.senders import api_gateway_event, standard_webhooks_headers

BODY = b"{}"
LONG = "\N{EURO SIGN}" * 10_000
"""Six bytes a letter as a log line has it."""
MOST_BYTES = 2_000


@pytest.mark.parametrize("name", PARTNERS)
def test_a_request_that_is_refused_makes_no_long_line(name: str) -> None:
    proving = {row.header for row in TABLE} | {row.timestamp_header for row in TABLE if row.timestamp_header}
    proving |= standard_webhooks_headers(b"", BODY).keys()
    proving |= {"svix-id", "svix-timestamp", "svix-signature", "content-encoding", "user-agent", "x-amz-sns-message-id"}
    receive, sender = receiver(name)
    for method in ("POST", "GET", "OPTIONS", LONG):
        for path in ("/webhook", f"/{LONG}", f"/{LONG}/webhook"):
            for headers in ({}, dict.fromkeys(proving, LONG), {**standard_webhooks_headers(b"", BODY), LONG: LONG}):
                log = receive.answer(api_gateway_event(BODY, headers, method=method, path=path)).log
                assert log["refused"]
                assert len(json.dumps(log)) < MOST_BYTES, log
    assert sender.messages == []
