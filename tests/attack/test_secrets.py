"""Nothing secret leaves receive: not in a log line, an answer, an envelope, nor in the name of a quarantine object."""

import base64
import json
import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.contract.test_contract_table import TABLE
from tests.contract.test_registry import PARTNERS
from tests.receive.conftest import ROOT, SECRET, ReceiveFunction
from tests.receive.senders import api_gateway_event, standard_webhooks_headers

from trailhook.delivery import Delivery
from trailhook.partner import Options
from trailhook.partners import load_partner
from trailhook.quarantine import QuarantinedEvent, quarantine_objects

BODY = b'{"type":"x","password":"body-marker"}'
CREDENTIALS = (
    *("authorization", "cookie", "proxy-authorization", "x-api-key", "x-gitlab-token", "cf-webhook-auth", "x-auth"),
    *("x-amz-security-token", "x-gitlab-event-streaming-token", "webhook-signature", "x-hub-signature-256"),
    # What a mapping or a log line reads, where somebody may paste the wrong thing.
    *("x-cs-delivery-timestamp", "webhook-timestamp", "x-slack-request-timestamp", "user-agent", "referer"),
)


@pytest.mark.parametrize("partner", PARTNERS)
def test_no_log_answer_or_envelope_holds_what_proves_a_sender(
    function: ReceiveFunction, capsys: pytest.CaptureFixture[str], partner: str
) -> None:
    function.configure(PARTNER=partner, ACCEPT_HEC="true")
    # What the mapping reads is kept by design; the contract tests hold that no credential is among it.
    kept = load_partner(partner, Options()).headers
    pasted = {name: f"{SECRET} credential-marker" for name in CREDENTIALS if name not in kept}
    genuine = [row.genuine(BODY, secret=SECRET) for row in TABLE if row.partner == partner and row.path == "/webhook"]
    genuine.append(standard_webhooks_headers(base64.b64decode(SECRET), BODY))
    events = []
    for headers in [*genuine, {}]:
        whole = {**pasted, **headers}
        events += [api_gateway_event(BODY, {**whole, "content-type": kind}) for kind in ("text/plain", "text/html")]
        events.append(api_gateway_event(BODY, whole, method="GET"))
        events.append(api_gateway_event(BODY, whole, path="/services"))
        events.append({"headers": whole, "body": BODY.decode()})
    answers = [function.handler(event, None) for event in events]
    envelopes = [replace(one, delivery=replace(one.delivery, body=b"")) for one in function.queued()]
    assert envelopes
    function.configure(DELIVERY_QUEUE_URL="http://127.0.0.1:9/111122223333/gone")
    answers += [function.handler(api_gateway_event(BODY, {**pasted, **headers}), None) for headers in genuine]
    told = [function.log.getvalue(), *capsys.readouterr(), json.dumps(answers), repr(envelopes)]
    statuses = {answer["statusCode"] for answer in answers}
    assert {400, 401, 404, 503} <= statuses
    proofs = {value for headers in genuine for name, value in headers.items() if len(value) > 20}
    for secret in (SECRET, SECRET[4:-4], "marker", *proofs):
        found = [text[max(0, text.index(secret) - 300) : text.index(secret) + 60] for text in told if secret in text]
        assert found == []


FIRST_REQUEST = """
import logging, os, runpy, sys
import boto3
from moto import mock_aws
from tests.receive.senders import api_gateway_event

mock_aws().start()
os.environ |= {"AWS_DEFAULT_REGION": "eu-central-1", "PARTNER": "okta"}
secret = boto3.client("secretsmanager").create_secret(Name="secret", SecretString=sys.argv[2])
os.environ["WEBHOOK_SECRET_ARN"] = secret["ARN"]
os.environ["DELIVERY_QUEUE_URL"] = boto3.client("sqs").create_queue(QueueName="queue")["QueueUrl"]
logging.basicConfig(level=logging.DEBUG, stream=sys.stdout)
handler = runpy.run_path(sys.argv[1])["handler"]
print(handler(api_gateway_event("{}", {"authorization": sys.argv[2]}), None)["statusCode"])
"""


def test_an_operator_who_has_everything_logged_does_not_find_the_secret_there() -> None:
    """Lambda sets the level for all loggers (`ApplicationLogLevel`), and botocore tells at DEBUG what was answered.

    In a process of its own: what is told once, at the first request, must not have been told before.
    """
    command = [sys.executable, "-c", FIRST_REQUEST, str(ROOT / "functions/receive/app.py"), SECRET]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert told.splitlines()[-1] == "204"
    found = [line for line in told.splitlines() if SECRET in line]
    assert found == []


DELIVERIES = st.builds(
    Delivery,
    partner=st.sampled_from(["github", "custom"]),
    id=st.text(max_size=20),
    request_id=st.text(st.characters(), max_size=20),
    received_at=st.integers(0, 253_402_300_799_999),
    source_ip=st.text(max_size=10),
    proof=st.text(max_size=10),
    headers=st.dictionaries(st.text(max_size=9), st.text(st.characters(), max_size=20), max_size=3),
    signed=st.frozensets(st.text(max_size=9), max_size=2),
    body=st.binary(max_size=40),
)


@given(st.lists(DELIVERIES, min_size=1, max_size=4), st.text(max_size=20), st.text(st.characters(), max_size=20))
def test_a_quarantine_key_says_partner_and_day_and_nothing_else_of_what_was_sent(
    deliveries: list[Delivery], reason: str, uid: str
) -> None:
    events = [QuarantinedEvent(one, "BadTime", reason, one.body, uid=uid) for one in deliveries]
    for key, content, _ in quarantine_objects(events, "{}:{}".format):
        assert re.fullmatch(r"quarantine/(github|custom)/\d{4}/\d\d/\d\d/[0-9a-f]{32}\.ndjson", key)
        assert content.isascii()
        assert content.count(b"\n") == len(content.splitlines()) == len(content.decode().splitlines())
