"""The derivation of `id`, frozen: were it to change, every event that is sent again would arrive as another one.

The literals are the base64url SHA-256 of a JSON array, computed apart from the code under test. Do not regenerate them.
"""

import json
import re
from typing import Any

import pytest
from tests.partners.cases import compact, delivery, outcomes

from trailhook.event_id import event_id

WEBHOOK = '{"action":"added","sender":{"login":"mira-holt","id":2001,"type":"User"}}'
GUID = {"X-GitHub-Event": "member", "X-GitHub-Delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958"}
ENTRY = {"action": "repo.create", "@timestamp": 1762331400123, "actor": "mira-holt"}
LOG_EVENT = {"eventType": "user.session.start", "published": "2025-11-05T08:30:00Z"}
SCHEMA_EVENT = {
    "eventSource": "lamps.example.com",
    "eventName": "LampLit",
    "eventTime": "2025-11-05T08:30:00Z",
    "UID": "a7f0/2025#1",
    "userIdentity": {"type": "User", "principalId": "emp-2001"},
}
CLOUDEVENT = {"specversion": "1.0", "source": "/lamps/north", "id": "ce-0001", "type": "com.example.lamp.lit"}
STANDARD_WEBHOOK = '{"type":"lamp.lit","timestamp":"2025-11-05T08:30:00Z","data":{}}'
SNS_MESSAGE = {
    "Type": "Notification",
    "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
    "TopicArn": "arn:aws:sns:eu-central-1:111122223333:lamps",
    "Message": "x",
    "Timestamp": "2025-11-05T08:30:05.655Z",
}


def sent(partner: str, body: str, headers: dict[str, str] | None = None) -> tuple[str, str]:
    """The `id` and `UID` of a body that is one event."""
    [outcome] = outcomes(delivery(partner, body.encode(), headers))
    return outcome["id"], outcome["eventData"]["UID"]


def test_parts_are_told_apart_and_may_hold_any_text() -> None:
    assert event_id("okta", "é", "灯") == "AECG-6QAr0zjCTaW5MbuTrVs-lz_isf6xq5uofl9JGo"
    assert event_id("okta", "a\x7f") == "4O-b8VKZdNyE5ma7rmoH4xPMBIclMdRXLydQZSJFyNw"
    assert event_id("okta", "\ud83d") == "Rt0iOB10d7_zVlVHh8am5BORAMVOiFIoXALEFnPvK6Y"
    assert len({event_id("okta", "ab", "c"), event_id("okta", "a", "bc"), event_id("okta", "abc")}) == 3
    assert event_id("okta", "1") != event_id("onelogin", "1")
    assert re.fullmatch(r"[-_A-Za-z0-9]{43}", event_id("okta", '"],["\x00\ud83d'))


@pytest.mark.parametrize(
    ("partner", "body", "headers", "id_", "uid"),
    [
        pytest.param(
            "github",
            WEBHOOK,
            GUID,
            "AXRRqElFiv0np8W_s8eqdNGUmyE1NvIAfvSNHS6XdDs",
            "72d3162e-cc78-11e3-81ab-4c9367dc0958",
            id="github-webhook",
        ),
        pytest.param(
            "github",
            WEBHOOK,
            {"X-GitHub-Event": "member"},
            "2bEFcw-1kqdsVOFsRet8EvBR2o7i8M2KTK0h5oz9mr8",
            "8cfb92f525eab41bc9410c566911b7b88345e76e04619bb2dc1832085197c8a9",
            id="github-webhook-without-delivery-id",
        ),
        pytest.param(
            "github",
            compact(ENTRY | {"_document_id": "Ab-_9xyz=="}),
            {},
            "T5wtM1km-P7ogWuClP90RQt7nKJp__lNqvR5I0FIFYI",
            "Ab-_9xyz==",
            id="github-audit-log",
        ),
        pytest.param(
            "github",
            compact(ENTRY),
            {},
            "L5I64DbDII_z_t2FAIWITFnqJBqIT3NEIzKTWZlPtOo",
            "e8dcc8fadaacd5dbd9169dd976bcc86b92a208158dcc4ca4a9bf08e92501219a",
            id="github-audit-log-without-document-id",
        ),
        pytest.param(
            "okta",
            compact(LOG_EVENT | {"uuid": "22222222-2222-4222-8222-222222222222"}),
            {},
            "OOHexqGJHVZGqmZdWLP4Lf_LV6X7QEy-GaP4foOEXfA",
            "22222222-2222-4222-8222-222222222222",
            id="okta",
        ),
        pytest.param(
            "okta",
            compact(LOG_EVENT),
            {},
            "Xt5gUnmO_s7NvX0D1htBBuYWfxXZ_mhzvt-_x3Z0Nrs",
            "14bb4dc189f0a825cfdf7bee5253e1fd1a551d1bacadc976cb308007cf29f66a",
            id="okta-without-uuid",
        ),
        pytest.param(
            "custom",
            compact(SCHEMA_EVENT),
            {},
            "lYm4KtXb5-TLO-euNTAzSC484nR39qDC1dPgs66bLHM",
            "a7f0/2025#1",
            id="custom-schema",
        ),
        pytest.param(
            "custom",
            compact(CLOUDEVENT),
            {},
            "3qB4S58OYn_RBRr7K36BjFw8_HOWIUTP7dM47Px8LPQ",
            "ce-0001",
            id="custom-cloudevent",
        ),
        pytest.param(
            "custom",
            STANDARD_WEBHOOK,
            {"webhook-id": "msg_04"},
            "b9CeitjK7Tqb3teUZgs90Zd17aNyBdgUprp581hqU0o",
            "msg_04",
            id="custom-webhook",
        ),
        pytest.param(
            "wiz",
            '{"action":"CreateUser","timestamp":"2025-11-05T08:30:15Z","id":"66666666-0000-4000-8000-000000000001"}',
            {},
            "oqmMrQT_dsQHIY8CdDCSpg0KdVM1sCjmk9W_UUcmgzc",
            "66666666-0000-4000-8000-000000000001",
            id="descriptor-with-an-id",
        ),
        pytest.param(
            "wiz",
            '{"id":"i-1","sourceRule":{"id":"c-1"},"createdAt":"2025-11-05T08:29:09Z","status":"OPEN"}',
            {},
            "1mq7g91OfBq7cg1EPfPfjdTF9B7t-dc7FfR_UAey9DI",
            "i-1",
            id="descriptor-with-an-id-that-repeats",
        ),
        pytest.param(
            "kong",
            '{"event_class_id":"c","event_product":"Konnect","org_id":"o","rt":"1762331445123","name":"Ingress"}',
            {},
            "eyUsjzUbb2qcCaxJCmr4IQPOWpbL4Uahh4FBKmZldtg",
            "e532be68b270a1de68a638dd210163260b2e6cf75d0d374ff7c0a5b094d4d277",
            id="descriptor-without-an-id-in-a-tenant",
        ),
        pytest.param(
            "kong",
            '{"source":"lamp","event":"lit","type":"authentication","ts":1762331445}',
            {},
            "LcXMN6eM1kO4rD3zymTxlTDRRPDqtb8SGfq-DqQfsno",
            "fcbb7a2fb4d7fb66c356a224c60a2cc465f0b81cb32d53388492745d8722a215",
            id="hook-with-members-of-another-kind",
        ),
        pytest.param(
            "snyk",
            '{"webhookId":"55555555-0000-4000-8000-000000000005"}',
            {"X-Snyk-Transport-ID": "99999999-0000-4000-8000-000000000001"},
            "DbQ08wWKp3EVbm9L_gadArNdKlMHyTbdWg_I6IXzs6M",
            "99999999-0000-4000-8000-000000000001",
            id="descriptor-with-its-id-in-a-header",
        ),
        pytest.param(
            "cloudstoragesecurity",
            compact(SNS_MESSAGE),
            {},
            "1I0DYTgCpfowsOOcuqm5Jb8mGvus69fGCNV6nPGY6X4",
            "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
            id="cloudstoragesecurity",
        ),
    ],
)
def test_derivation_is_frozen(partner: str, body: str, headers: dict[str, str], id_: str, uid: str) -> None:
    assert sent(partner, body, headers) == (id_, uid)


KEYED = {"Idempotency-Key": "g-1", "X-Gitlab-Event-UUID": "g-2"}
NUMBERED = {"X-Gitlab-Event-UUID": "g-2"}
OF_A_WORKFLOW = {"X-Cs-Delivery-Timestamp": "2025-11-05T08:30:15Z"}


@pytest.mark.parametrize(
    ("partner", "body", "headers", "id_", "uid"),
    [
        (
            "auth0",
            '{"_id":"a-1","type":"s","date":"2025-11-05T08:30:15Z"}',
            {},
            "eDJBxdlcfA5lORXg_j6Bfq5zoNR7iEHrUB799Nnj6uk",
            "a-1",
        ),
        ("crowdstrike", '{"event_id":"c-1"}', OF_A_WORKFLOW, "3momNUCpQxmudQE-xvPGCkQ8LxmfIKtHTBNooBg1dJE", "c-1"),
        ("crowdstrike", '{"incident_id":"c-1"}', OF_A_WORKFLOW, "75NsuUpAKA5KWDlgkHoqzQsXaRurHffLxS3V85mQGio", "c-1"),
        ("crowdstrike", '{"id":"c-1"}', OF_A_WORKFLOW, "zShxhbwHK-fkU7t8oENiGiqW3PnYerXv_VEe7szbDz4", "c-1"),
        (
            "cyberark",
            '{"EventType":"a","WhenOccurred":"/Date(1762331415123)/","_RowKey":"y-1","Tenant":"t"}',
            {},
            "xmykftrFwcKgflDcMURLz2GXVmSaqfo5zm7GHxqmaNc",
            "y-1",
        ),
        ("gitlab", '{"event_name":"push"}', KEYED, "psfyNc4A9yiw7ZKi6SC4ZdiWjDvQRGwgUv35PTjscyw", "g-1"),
        ("gitlab", '{"event_name":"push"}', NUMBERED, "qFVkSY8zK4fKjACwDcAQuv5iDpBErMPsVCJZEJXSr8E", "g-2"),
        ("gitlab", '{"event_name":"user_failed_login"}', KEYED, "yG5ZZ3eEdI5QMDF-5mr2CyTaHnCvzObl8oyvciY5L2A", "g-1"),
        (
            "gitlab",
            '{"event_name":"user_failed_login"}',
            NUMBERED,
            "BZzNaVrpJg7ucT3hHsW-ucZz6IfY0MxKVz9QRLD5a2g",
            "g-2",
        ),
        ("gitlab", '{"event_name":"user_create"}', KEYED, "jJc6OqvsIMszAf1-24kag55GwBAe_dyR_wkUW54LX-c", "g-1"),
        ("gitlab", '{"event_name":"user_create"}', NUMBERED, "4vs8WRolbX1U1aRZCmDHKlp-dgIyTQip98OrX_Ynv2Y", "g-2"),
        (
            "onelogin",
            '{"create":{"_id":"o-1"},"event_type_id":5,"event_timestamp":"2025-11-05 08:30:15 UTC"}',
            {},
            "Pfii0HyEOmPA2p2s39STpVLMCq9uiD9v9psZfCFb5bE",
            "o-1",
        ),
        (
            "onepassword",
            '{"uuid":"p-1","account_uuid":"t","action":"a","actor_uuid":"u","timestamp":"2025-11-05T08:30:15Z"}',
            {},
            "_CYpaKRTMIhG8HQmV043V3lmJoqoL3CU2npSku6BINE",
            "p-1",
        ),
        (
            "slack",
            '{"event_id":"s-1","enterprise_id":"t","event_time":1762331415,"event":{"type":"a"}}',
            {},
            "zElJB8VCRdEovtE2fZ6AbSxDuapE74fH7973EItpHrw",
            "s-1",
        ),
        (
            "snyk",
            '{"event":"a","created":"2025-11-05T08:30:15Z","group_id":"t"}',
            {},
            "2kxTKEXYyohI7G7OrjSm9XtsHyzT8rtRhzTycR_uJqE",
            "a4d8e7e1a08828c308bab1c4cba65170535cb93e5645c6e00fd580a8420dcdce",
        ),
        (
            "snyk",
            '{"event":"a","created":"2025-11-05T08:30:15Z","orgId":"t"}',
            {},
            "plKr3jpPubkxyiYY-g74sFfxOMdBrmBKBPLhL0Mfb5Y",
            "7b7c8d999de4a0a88016a8f55433a06e5b455f1e09fb1ecb68850946d82a19a7",
        ),
    ],
)
def test_every_place_of_an_id_and_of_its_tenant_is_frozen(
    partner: str, body: str, headers: dict[str, str], id_: str, uid: str
) -> None:
    assert sent(partner, body, headers) == (id_, uid)


def test_a_copied_github_delivery_id_does_not_hide_another_event() -> None:
    other = WEBHOOK.replace("added", "removed")
    assert sent("github", WEBHOOK, GUID)[0] != sent("github", other, GUID)[0]
    assert sent("github", WEBHOOK, GUID)[1] == sent("github", other, GUID)[1]


def test_a_redelivery_has_the_same_id_whoever_forwards_it() -> None:
    other_hook = GUID | {"X-GitHub-Hook-ID": "2", "webhook-id": "msg_9"}
    assert sent("github", WEBHOOK, GUID) == sent("github", WEBHOOK, other_hook)


@pytest.mark.parametrize("member", ["source", "id"])
def test_a_cloudevent_is_its_source_and_id_together(member: str) -> None:
    other: dict[str, Any] = CLOUDEVENT | {member: "another"}
    assert sent("custom", compact(CLOUDEVENT))[0] != sent("custom", compact(other))[0]


@pytest.mark.parametrize(("partner", "event"), [("github", ENTRY), ("okta", LOG_EVENT)])
def test_an_event_without_an_id_is_known_by_its_content_not_its_spelling(partner: str, event: dict[str, Any]) -> None:
    respelt = json.dumps(dict(reversed(event.items())), indent=1)
    assert sent(partner, compact(event)) == sent(partner, respelt)
    assert sent(partner, compact(event)) != sent(partner, compact(event | {"more": 1}))


def test_events_of_one_webhook_id_are_told_apart() -> None:
    body = f"[{STANDARD_WEBHOOK},{STANDARD_WEBHOOK.replace('lit', 'out')}]"
    ids = [outcome["id"] for outcome in outcomes(delivery("custom", body.encode(), {"webhook-id": "msg_04"}))]
    assert len(set(ids)) == 2
