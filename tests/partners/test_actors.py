"""Whom an event names where the actor's usual identifier is missing, and never anybody else."""

from collections.abc import Mapping
from typing import Any

import pytest
from tests.partners.cases import event_data

MISSING = "missing"
"""In a body below: what is null, empty or blank there."""

KONG = {"request_id": "r-1", "request_timestamp": 1_762_331_405, "method": "GET", "path": "/auth", "status": 200}
AUTH0 = {"log_id": "l-1", "date": "2025-11-05T08:30:05.678Z", "type": "sapi", "client_id": "c-1"}
PAGERDUTY = {
    "id": "e-1",
    "action": "update",
    "execution_time": "2025-11-05T08:30:05Z",
    "root_resource": {"id": "t-1", "type": "team_reference"},
    "method": {"type": "api_token", "truncated_token": "SZtr"},
}
SLACK = {"id": "a-1", "date_create": 1_762_331_405, "action": "user_login"}
JIRA = {"webhookEvent": "jira:issue_updated", "timestamp": 1_762_331_405_123}
ZOOM = {"event": "user.signed_in", "event_ts": 1_762_331_405_123}
CLOUDFLARE = {"id": "a-1", "action": {"type": "create", "time": "2025-11-05T08:30:05Z"}}
ONEPASSWORD = {"uuid": "e-1", "timestamp": "2025-11-05T08:30:05Z"}
PROPERTIES = {"metadata": {"customerIDString": "c", "eventType": "t", "offset": 1, "eventCreationTime": 1_762_331_405}}


@pytest.mark.parametrize("nothing", [None, "", " "])
@pytest.mark.parametrize(
    ("partner", "body", "kind", "principal"),
    [
        ("kong", KONG | {"rbac_user_id": "u-1", "rbac_user_name": MISSING}, "User", "u-1"),
        ("kong", KONG | {"rbac_user_id": MISSING, "rbac_user_name": "mira"}, "Anonymous", "mira"),
        ("kong", KONG | {"rbac_user_id": MISSING, "rbac_user_name": MISSING}, "Anonymous", "anonymous"),
        (
            "auth0",
            AUTH0 | {"details": {"request": {"auth": {"user": {"user_id": MISSING, "email": "mira@example.com"}}}}},
            "User",
            "mira@example.com",
        ),
        (
            "auth0",
            AUTH0
            | {"user_id": "auth0|2001"}
            | {"details": {"request": {"auth": {"user": {"user_id": MISSING, "email": "mira@example.com"}}}}},
            "User",
            "auth0|2001",
        ),
        (
            "pagerduty",
            {
                "event": {"id": "e-1", "event_type": "incident.resolved", "occurred_at": "2025-11-05T08:30:05Z"}
                | {"agent": {"id": MISSING, "type": "user_reference", "summary": "Mira Holt"}}
            },
            "User",
            "Mira Holt",
        ),
        (
            "pagerduty",
            PAGERDUTY | {"actors": [{"id": MISSING, "type": "user_reference", "summary": "Mira Holt"}]},
            "User",
            "Mira Holt",
        ),
        ("pagerduty", PAGERDUTY | {"actors": [{"id": MISSING}]}, "api_token", "SZtr"),
        (
            "slack",
            SLACK | {"actor": {"type": "user", "user": {"id": MISSING, "name": "mira", "email": "mira@example.com"}}},
            "User",
            "mira@example.com",
        ),
        (
            "slack",
            SLACK | {"actor": {"type": "workflow", "workflow": {"id": MISSING, "name": "dusk"}}},
            "workflow",
            "dusk",
        ),
        (
            "slack",
            {"event_id": "Ev1", "event_time": 1_762_331_405}
            | {"event": {"type": "team_join", "user": {"id": MISSING, "name": "jonas"}}},
            "User",
            "jonas",
        ),
        # A name that its owner can change never stands before an id.
        (
            "slack",
            {"event_id": "Ev1", "event_time": 1_762_331_405}
            | {"event": {"type": "team_join", "user": {"id": MISSING, "name": "jonas"}, "bot_id": "B1"}},
            "Bot",
            "B1",
        ),
        (
            "slack",
            SLACK | {"actor": {"type": "app", "app": {"id": "A1"}, "user": {"id": MISSING, "name": "jonas"}}},
            "app",
            "A1",
        ),
        (
            "slack",
            SLACK
            | {"actor": {"type": "user", "user": {"id": MISSING, "email": "mira@example.com"}, "team": {"id": "T1"}}},
            "User",
            "mira@example.com",
        ),
        (
            "auth0",
            AUTH0 | {"details": {"request": {"auth": {"user": {"user_id": MISSING, "name": "jonas"}}}}},
            "Client",
            "c-1",
        ),
        (
            "atlassian",
            {"webhookEvent": "comment_created", "timestamp": 1_762_331_405_123}
            | {
                "comment": {"author": {"accountId": MISSING, "emailAddress": "mira@example.com", "displayName": "Mira"}}
            },
            "User",
            "mira@example.com",
        ),
        (
            "terraform",
            {"id": "a-1", "timestamp": "2025-11-05T08:30:05Z", "resource": {"type": "run", "action": "apply"}}
            | {"auth": {"accessor_id": MISSING, "description": "mira", "type": "Client"}},
            "Client",
            "mira",
        ),
        (
            "crowdstrike",
            PROPERTIES | {"event": {"properties": {"UserSid": MISSING, "UserName": "MHOLT"}}},
            "User",
            "MHOLT",
        ),
        (
            "onepassword",
            ONEPASSWORD | {"action": "create", "actor_uuid": MISSING, "actor_details": {"uuid": "4HCG"}},
            "User",
            "4HCG",
        ),
        (
            "onepassword",
            ONEPASSWORD | {"category": "success", "target_user": {"uuid": MISSING, "name": "Mira Holt"}},
            "User",
            "Mira Holt",
        ),
        (
            "onepassword",
            ONEPASSWORD | {"item_uuid": "i", "vault_uuid": "v", "user": {"uuid": MISSING, "name": "Mira Holt"}},
            "User",
            "Mira Holt",
        ),
        (
            "zoom",
            ZOOM | {"payload": {"object": {"id": MISSING, "email": "mira@example.com"}}},
            "User",
            "mira@example.com",
        ),
        (
            "atlassian",
            {"attributes": {"action": "a", "time": "2025-11-05T08:30:05Z", "actor": {"id": MISSING, "name": "Mira"}}},
            "User",
            "Mira",
        ),
        (
            "atlassian",
            JIRA
            | {"user": {"accountId": MISSING, "displayName": "Mira"}, "comment": {"author": {"accountId": "2002"}}},
            "User",
            "Mira",
        ),
        (
            "atlassian",
            {"repository": {"name": "lamps"}, "push": {}, "fork": {"name": "lamps"}}
            | {"actor": {"account_id": MISSING, "display_name": "Mira"}},
            "User",
            "Mira",
        ),
        (
            "wiz",
            {"trigger": {"source": "THREAT", "type": "Created"}, "createdAt": "2025-11-05T08:30:05Z"}
            | {"primaryActor": {"id": MISSING, "name": "night-porter", "type": "USER"}},
            "USER",
            "night-porter",
        ),
        (
            "cloudflare",
            CLOUDFLARE | {"actor": {"id": MISSING, "email": MISSING, "token_id": "t1", "type": "account"}},
            "Token",
            "t1",
        ),
    ],
)
def test_an_actor_without_an_id_is_called_by_what_else_is_said_of_it(
    partner: str, body: Any, kind: str, principal: str, nothing: str | None
) -> None:
    identity = event_data(partner, without(body, nothing))["userIdentity"]
    assert (identity["type"], identity["principalId"]) == (kind, principal)


MIRA = {"accountId": "2001", "displayName": "Mira Holt"}
JONAS = {"accountId": "2002", "displayName": "Jonas Lind"}
GUEST = {"id": "2002", "user_name": "Jonas Lind", "public_ip": "192.0.2.7"}


@pytest.mark.parametrize("thing", ["comment", "worklog"])
@pytest.mark.parametrize(
    ("event", "members", "actor"),
    [
        ("{}_created", {"author": MIRA, "updateAuthor": MIRA}, MIRA),
        ("{}_created", {"author": MIRA, "updateAuthor": JONAS}, JONAS),
        ("{}_created", {"author": MIRA}, MIRA),
        ("{}_updated", {"author": MIRA, "updateAuthor": JONAS}, JONAS),
        ("{}_updated", {"author": MIRA}, None),
        ("{}_deleted", {"author": MIRA, "updateAuthor": JONAS}, None),
        ("jira:issue_updated", {"author": MIRA, "updateAuthor": JONAS}, None),
    ],
)
def test_who_wrote_something_is_not_named_for_what_another_may_have_done(
    event: str, members: Mapping[str, Any], actor: Mapping[str, str] | None, thing: str
) -> None:
    body = {"webhookEvent": event.format(thing), "timestamp": 1_762_331_405_123, thing: members}
    nobody = {"type": "Service", "principalId": "atlassian.com"}
    expected = {"type": "User", "principalId": actor["accountId"], "details": actor} if actor else nobody
    assert event_data("atlassian", body)["userIdentity"] == expected


@pytest.mark.parametrize(
    ("event", "actor"),
    [("attachment_created", ("User", "2001")), ("attachment_deleted", ("Service", "atlassian.com"))],
)
def test_who_added_an_attachment_is_not_named_for_its_removal(event: str, actor: tuple[str, str]) -> None:
    body = {"webhookEvent": event, "timestamp": 1_762_331_405_123, "attachment": {"id": "7", "author": MIRA}}
    identity = event_data("atlassian", body)["userIdentity"]
    assert (identity["type"], identity["principalId"]) == actor


@pytest.mark.parametrize("name", ["key", "name", "displayName"])
def test_who_wrote_a_comment_on_a_server_has_no_account_id(name: str) -> None:
    body = {"webhookEvent": "comment_created", "timestamp": 1_762_331_405_123, "comment": {"author": {name: "mira"}}}
    assert event_data("atlassian", body)["userIdentity"]["principalId"] == "mira"


@pytest.mark.parametrize(
    ("partner", "body", "actor"),
    [
        *(
            ("atlassian", {"webhookEvent": event, "timestamp": 1_762_331_405_123, "user": JONAS}, None)
            for event in ("user_created", "user_updated", "user_deleted")
        ),
        (
            "atlassian",
            {"timestamp": 1_762_331_405_123, "event": "user_removed", "userKey": "2c9d01"}
            | {"userProfile": {"userKey": "2c9d02"}},
            "2c9d01",
        ),
        *(
            (
                "zoom",
                ZOOM | {"event": f"meeting.participant_{act}", "payload": {"object": {"participant": GUEST}}},
                None,
            )
            for act in ("put_in_waiting_room", "admitted", "role_changed")
        ),
        *(
            ("zoom", ZOOM | {"event": event, "payload": {"object": {"id": "2001", "email": "m@example.com"}}}, actor)
            for event, actor in {
                "user.invitation_accepted": "2001",
                "user.created": None,
                "user.deactivated": None,
                "user.presence_status_updated": None,
            }.items()
        ),
        ("zoom", ZOOM | {"event": "meeting.participant_left", "payload": {"object": {"participant": GUEST}}}, "2002"),
        # Zoom names as operator whoever missed an invitation, and the host of a visitor who comes or goes.
        *(
            ("zoom", ZOOM | {"event": event, "payload": {"operator_id": operator, "object": members}}, actor)
            for event, operator, members, actor in (
                ("meeting.invitation_timeout", "2002", {"participant": GUEST}, None),
                ("meeting.invitation_dispatched", "2001", {"participant": GUEST}, "2001"),
                ("meeting.invitation_dispatched", "", {"participant": GUEST}, None),
                ("visitor_management.checked_in", "2001", {"visitor_name": "Jonas Lind"}, None),
                ("visitor_management.checked_out", "2001", {"visitor_name": "Jonas Lind"}, None),
                ("visitor_management.invitation_created", "2001", {"visitor_name": "Jonas Lind"}, "2001"),
            )
        ),
        (
            "slack",
            {"event_id": "Ev1", "event_time": 1_762_331_405}
            | {"event": {"type": "member_joined_channel", "user": "U2002", "inviter": "U2001"}},
            "U2001",
        ),
        # An administrator deactivates somebody, edits a profile, or sets a status with the same event as its owner.
        *(
            (
                "slack",
                {"event_id": "Ev1", "event_time": 1_762_331_405}
                | {"event": {"type": event, "user": {"id": "U2002", "name": "jonas", "deleted": True}}},
                None,
            )
            for event in ("user_change", "user_profile_changed", "user_status_changed", "user_huddle_changed")
        ),
    ],
)
def test_whom_something_is_done_to_is_not_who_does_it(partner: str, body: Any, actor: str | None) -> None:
    data = event_data(partner, body)
    type_and_id = (data["userIdentity"]["type"], data["userIdentity"]["principalId"])
    assert type_and_id == (("User", actor) if actor else ("Service", data["eventSource"]))
    assert data.get("sourceIPAddress") == (GUEST["public_ip"] if actor == GUEST["id"] else None)


def test_who_removed_an_app_of_zooms_is_its_user() -> None:
    payload = {"account_id": "a-1", "user_id": "2001", "deauthorization_time": "2025-11-05T08:30:05.632Z"}
    data = event_data("zoom", {"event": "app_deauthorized", "payload": payload})
    assert data["userIdentity"] == {"type": "User", "principalId": "2001"}
    assert data["eventTime"] == "2025-11-05T08:30:05Z"


def test_type_and_details_are_of_the_actor_whose_id_it_is() -> None:
    actor = {"id": "a-1", "name": "night-porter", "type": "SERVICE_ACCOUNT"}
    body = {"id": "t-1", "createdAt": "2025-11-05T08:30:05Z", "type": "GENERATED_THREAT", "actors": [actor]}
    unknown = {"id": "", "name": None, "type": "UNKNOWN", "federated": False}
    identity = event_data("wiz", body | {"primaryActor": unknown})["userIdentity"]
    assert identity == {"type": "SERVICE_ACCOUNT", "principalId": "a-1", "details": actor}


@pytest.mark.parametrize(
    ("types", "kind", "principal"),
    [
        (["user_reference"], "User", "A0"),
        (["app_reference", "user_reference"], "User", "A1"),
        (["api_key_reference", "user_reference", "user_reference"], "User", "A1"),
        (["app_reference"], "App", "A0"),
        (["api_key_reference", "app_reference"], "ApiKey", "A0"),
        (["escalation_policy_reference"], "escalation_policy_reference", "A0"),
    ],
)
def test_a_person_is_named_before_the_app_or_key_beside_them(types: list[str], kind: str, principal: str) -> None:
    actors = [{"id": f"A{number}", "type": of_type} for number, of_type in enumerate(types)]
    identity = event_data("pagerduty", PAGERDUTY | {"actors": actors})["userIdentity"]
    assert (identity["type"], identity["principalId"], identity["details"]["id"]) == (kind, principal, principal)


def without(value: Any, nothing: str | None) -> Any:
    """The value with nothing of that form where it is said to be missing."""
    if isinstance(value, Mapping):
        return {name: without(member, nothing) for name, member in value.items()}
    if isinstance(value, list):
        return [without(element, nothing) for element in value]
    return nothing if value == MISSING else value


API_CLIENT = [{"Key": "actor_cid", "ValueString": "c"}, {"Key": "APIClientID", "ValueString": "c0ffee"}]


@pytest.mark.parametrize(
    ("members", "actor"),
    [
        ({"ServiceName": "api_request", "AuditKeyValues": API_CLIENT}, ("ApiClient", "c0ffee")),
        ({"ServiceName": "api_request", "Attributes": {"APIClientID": "c0ffee"}}, ("ApiClient", "c0ffee")),
        ({"ServiceName": "api_request", "AuditKeyValues": API_CLIENT[:1]}, ("Service", "crowdstrike.com")),
        ({"ServiceName": "api_request", "AuditKeyValues": API_CLIENT, "UserId": "mira"}, ("User", "mira")),
        ({"ServiceName": "detections", "UserId": "api-client-id:c0ffee"}, ("ApiClient", "api-client-id:c0ffee")),
        ({"ServiceName": "Crowdstrike API Client", "UserId": "api-client-id:1"}, ("ApiClient", "api-client-id:1")),
        ({"AuditKeyValues": API_CLIENT}, ("ApiClient", "c0ffee")),
        ({"ServiceName": "", "Attributes": {"APIClientID": "c0ffee"}}, ("ApiClient", "c0ffee")),
        # The client that is made or deleted is not the one who does it.
        ({"ServiceName": "Crowdstrike API Client", "AuditKeyValues": API_CLIENT}, ("Service", "crowdstrike.com")),
        (
            {"ServiceName": "Crowdstrike API Client", "Attributes": {"APIClientID": "c0ffee"}},
            ("Service", "crowdstrike.com"),
        ),
        ({"UserSid": "S-1-5-21-1", "UserName": "mira"}, ("User", "S-1-5-21-1")),
        ({"UserSid": "S-1-0-0", "UserName": "mira"}, ("User", "mira")),
        ({"UserUUID": "u-1", "UserID": "mira@example.com"}, ("User", "u-1")),
        ({"UserID": "mira@example.com"}, ("User", "mira@example.com")),
        ({"SourceAccountObjectSid": "S-1-5-21-1", "SourceAccountName": "mira"}, ("User", "S-1-5-21-1")),
        ({"SourceAccountObjectSid": "S-1-0-0", "SourceAccountName": "mira"}, ("User", "mira")),
    ],
)
def test_who_did_what_an_audit_record_of_crowdstrikes_tells(members: Mapping[str, Any], actor: tuple[str, str]) -> None:
    event = {"UserId": "", "OperationName": "logged", **members}
    for record in (PROPERTIES | {"event": event}, {"ExternalApiType": "Event_t", "timestamp": 1_762_331_405} | event):
        identity = event_data("crowdstrike", record)["userIdentity"]
        assert (identity["type"], identity["principalId"]) == actor


@pytest.mark.parametrize(
    ("names", "principal"), [(["night-porter"], "night-porter"), (["night-porter", "mira"], "wiz.io")]
)
def test_one_of_several_actors_of_a_threat_is_not_known_to_be_the_one(names: list[str], principal: str) -> None:
    threat = {
        "id": "t-1",
        "createdAt": "2025-11-05T08:30:05Z",
        "actors": [{"id": name, "type": "USER"} for name in names],
    }
    assert event_data("wiz", threat)["userIdentity"]["principalId"] == principal


CALL = {"caller": {"user_id": "2001"}, "callee": {"user_id": "2002"}}
SENDER = {"sender_name": "Mira Holt", "sender_email": "mira@example.com"}


@pytest.mark.parametrize(
    ("event", "members", "principal"),
    [
        ("phone.caller_ringing", CALL, "2001"),
        ("phone.caller_unmute", CALL, "2001"),
        ("phone.callee_answered", CALL, "2002"),
        ("phone.callee_rejected", CALL, "2002"),
        ("phone.callee_ringing", CALL, None),
        ("phone.callee_missed", CALL, None),
        ("phone.caller_ended", CALL, None),
        ("phone.callee_ended", CALL, None),
        ("phone.sms_sent", {"sender": {"id": "2001"}}, "2001"),
        ("phone.sms_received", {"sender": {"id": "2001"}}, None),
        ("meeting.chat_message_sent", {"chat_message": SENDER}, "mira@example.com"),
        ("webinar.chat_message_file_sent", {"chat_message_file": SENDER}, "mira@example.com"),
        ("session.user_joined", {"user": {"id": "16778240", "name": "Mira Holt"}}, "16778240"),
        ("team_chat.channel_join_approval_requested", {"requester": {"user_id": "2001"}}, "2001"),
        (
            "scheduler.scheduled_event_canceled",
            {"invitee_email": "j@x.test", "cancellation": {"canceled_by": "mira@example.com", "canceler_type": "host"}},
            "mira@example.com",
        ),
        ("cobrowse.session_ended", {"user_id": "2001", "user_name": "Mira Holt", "role_type": "agent"}, None),
        ("contact_center.user_login", {"user_id": "2001"}, "2001"),
        ("contact_center.user_status_changed", {"user_id": "2001"}, None),
        ("contact_center.engagement_user_unhold", {"user_id": "2001"}, "2001"),
        ("contact_center.engagement_user_ended", {"user_id": "2001"}, None),
        ("contact_center.engagement_monitor_started", {"user_id": "2002", "monitoring_user_id": "2001"}, "2001"),
        ("contact_center.engagement_takeover_started", {"user_id": "2002", "takeover_user_id": "2001"}, "2001"),
        ("contact_center.business_hours_updated", {"modified_by": "2001"}, "2001"),
        ("contact_center.engagement_disposition_added", {"modified_by": "2001"}, None),
    ],
)
def test_who_did_it_in_zoom_has_a_place_of_its_own_in_some_events(
    event: str, members: Mapping[str, Any], principal: str | None
) -> None:
    identity = event_data("zoom", ZOOM | {"event": event, "payload": {"object": members}})["userIdentity"]
    expected = ("User", principal) if principal else ("Service", "zoom.us")
    assert (identity["type"], identity["principalId"]) == expected


def test_who_wrote_to_a_chatbot_of_zooms_and_when() -> None:
    """An app that was added has no `event_ts`."""
    payload = {"userId": "2001", "userName": "Mira Holt", "robotJid": "b@x.test", "timestamp": 1_762_331_405_123}
    data = event_data("zoom", {"event": "bot_installed", "payload": payload})
    assert data["userIdentity"] == {"type": "User", "principalId": "2001", "details": {"userName": "Mira Holt"}}
    assert data["eventTime"] == "2025-11-05T08:30:05Z"


@pytest.mark.parametrize("nothing", [None, ""])
@pytest.mark.parametrize(
    ("payload", "details"),
    [
        ({"operator_member_id": "m-1", "by_external_user": True}, {"by_external_user": True}),
        ({"operator_collaborator_id": "m-1", "operator_name": "Jonas Lind"}, {"operator_name": "Jonas Lind"}),
        (
            {"object": {"requester": {"user_id": "", "member_id": "m-1"}}},
            {"user_id": "", "member_id": "m-1"},
        ),
    ],
)
def test_users_of_another_organization_have_a_members_id_at_zoom(
    payload: Mapping[str, Any], details: Mapping[str, Any], nothing: str | None
) -> None:
    body = ZOOM | {"event": "a", "payload": {"operator": nothing, "operator_id": nothing, **payload}}
    assert event_data("zoom", body)["userIdentity"] == {"type": "User", "principalId": "m-1", "details": details}
    own = event_data("zoom", ZOOM | {"event": "a", "payload": {**payload, "operator_id": "2001"}})["userIdentity"]
    assert (own["type"], own["principalId"]) == ("User", "2001")


@pytest.mark.parametrize("unknown", ["unknown", "Unknown"])
@pytest.mark.parametrize("event", [{"audit_log_event": "Login Successful"}, {"type": "page", "activity": "Login"}])
def test_netskopes_word_for_nobody_is_nobodys_name(event: Mapping[str, str], unknown: str) -> None:
    body = {"timestamp": 1_762_331_405, **event, "user": unknown}
    assert event_data("netskope", body)["userIdentity"] == {"type": "Service", "principalId": "netskope.com"}
    named = event_data("netskope", body | {"ur_normalized": "mira@example.com"})["userIdentity"]
    assert (named["type"], named["principalId"]) == ("User", "mira@example.com")
