"""Who is not the user that an event names: guests, what somebody typed, apps, who acts in another's name."""

from collections.abc import Mapping
from typing import Any

import pytest
from tests.partners.cases import event_data

AUTH0 = {"log_id": "l-1", "date": "2025-11-05T08:30:05.678Z", "type": "sapi", "client_id": "c-1"}
MIRA = {"accountId": "2001", "displayName": "Mira Holt"}
ZOOM = {"event": "user.signed_in", "event_ts": 1_762_331_405_123}


@pytest.mark.parametrize(
    ("account", "kind"),
    [
        ({"accountType": "atlassian"}, "User"),
        ({"accountType": "app"}, "App"),
        ({"accountType": "customer"}, "Customer"),
        ({"accountType": "unknown"}, "User"),
        ({"accountType": ""}, "User"),
        ({}, "User"),
    ],
)
@pytest.mark.parametrize(
    ("event", "place"),
    [
        ({"webhookEvent": "jira:issue_updated", "timestamp": 1_762_331_405_123}, ("user",)),
        ({"webhookEvent": "comment_created", "timestamp": 1_762_331_405_123}, ("comment", "author")),
        ({"webhookEvent": "comment_updated", "timestamp": 1_762_331_405_123}, ("comment", "updateAuthor")),
        ({"webhookEvent": "worklog_created", "timestamp": 1_762_331_405_123}, ("worklog", "author")),
        ({"webhookEvent": "worklog_updated", "timestamp": 1_762_331_405_123}, ("worklog", "updateAuthor")),
        ({"webhookEvent": "attachment_created", "timestamp": 1_762_331_405_123}, ("attachment", "author")),
        ({"summary": "Space created", "creationDate": 1_762_331_405_123}, ("author",)),
    ],
)
def test_an_app_or_a_customer_of_atlassians_is_no_user(
    event: Mapping[str, Any], place: tuple[str, ...], account: Mapping[str, str], kind: str
) -> None:
    member: dict[str, Any] = {**MIRA, **account}
    for name in reversed(place):
        member = {name: member}
    identity = event_data("atlassian", {**event, **member})["userIdentity"]
    assert (identity["type"], identity["principalId"]) == (kind, "2001")


@pytest.mark.parametrize("nothing", [None, "", " "])
def test_who_failed_to_sign_in_to_cyberark_has_a_name_of_its_own(nothing: str | None) -> None:
    event = {"EventType": "Cloud.Core.LoginFail", "WhenOccurred": "/Date(1762331405123)/", "FailUserName": "mira"}
    unknown = {"UserGuid": nothing, "NormalizedUser": nothing, "UserName": nothing}
    identity = event_data("cyberark", event | unknown)["userIdentity"]
    assert (identity["type"], identity["principalId"]) == ("Anonymous", "mira")


@pytest.mark.parametrize("member", ["NormalizedUser", "UserName"])
@pytest.mark.parametrize(
    ("event", "guid", "kind", "principal"),
    [
        ("Cloud.Core.LoginFail", None, "Anonymous", "mira"),
        ("Cloud.Core.LoginFail", " ", "Anonymous", "mira"),
        ("Cloud.Core.LoginFail", "7f93", "User", "7f93"),
        ("Cloud.Core.Login", None, "User", "mira"),
        ("Cloud.Server.ManualAccount.ChangeFail", None, "User", "mira"),
    ],
)
def test_whoever_failed_to_sign_in_to_cyberark_under_a_users_name_is_not_that_user(
    event: str, guid: str | None, kind: str, principal: str, member: str
) -> None:
    body = {"EventType": event, "WhenOccurred": "/Date(1762331405123)/", "UserGuid": guid, member: "mira"}
    for impersonator in {"", "8a04"} if kind == "Anonymous" else {""}:
        identity = event_data("cyberark", body | {"ImpersonatorUuid": impersonator})["userIdentity"]
        assert (identity["type"], identity["principalId"]) == (kind, principal)


@pytest.mark.parametrize(
    ("action", "user", "kind", "principal"),
    [
        ("User login failed", None, "Anonymous", "mira"),
        ("cloud.core.loginfail", "", "Anonymous", "mira"),
        ("User login failed", "7f93", "User", "7f93"),
        ("User login successful", None, "User", "mira"),
        ("Create Discovery Failed", None, "User", "mira"),
        ("Log index failed", None, "User", "mira"),
    ],
)
def test_whoever_failed_to_sign_in_by_cyberarks_audit_service_is_not_the_user_of_that_name(
    action: str, user: str | None, kind: str, principal: str
) -> None:
    record = {"uuid": "u-1", "auditCode": "IDP2004", "timestamp": 1_762_331_405_123, "action": action}
    identity = event_data("cyberark", record | {"userId": user, "username": "mira", "identityType": "HUMAN"})
    assert (identity["userIdentity"]["type"], identity["userIdentity"]["principalId"]) == (kind, principal)


@pytest.mark.parametrize(
    ("event", "kind"),
    [("Undefined User Logon", "Anonymous"), ("User Authentication", "User"), ("Logon", "User"), ("Add User", "User")],
)
def test_whom_cyberarks_vault_does_not_know_is_no_user(event: str, kind: str) -> None:
    time = "2025-11-05T08:30:05Z"
    for record in (
        {"iso_timestamp": time, "issuer": "mira", "desc": event},
        {"syslog": {"audit_record": {"IsoTimestamp": time, "Issuer": "mira", "Desc": event}}},
    ):
        assert event_data("cyberark", record)["userIdentity"] == {"type": kind, "principalId": "mira"}


def test_who_impersonates_a_user_of_terraforms_is_told() -> None:
    auth = {"accessor_id": "user-A", "description": "mira", "type": "Impersonated", "impersonator_id": "user-B"}
    resource = {"type": "run", "action": "apply"}
    entry = {"id": "a-1", "timestamp": "2025-11-05T08:30:05Z", "auth": auth, "resource": resource}
    identity = event_data("terraform", entry)["userIdentity"]
    assert identity == {"type": "Impersonated", "principalId": "user-A", "details": auth}


def test_on_whose_behalf_an_app_of_atlassians_acts_is_told() -> None:
    actor = {"id": "557058:9", "name": "Lamp agent", "onBehalfOf": {"id": "557058:2001"}}
    record = {"id": "e-1", "attributes": {"action": "page_viewed", "time": "2025-11-05T08:30:05Z", "actor": actor}}
    identity = event_data("atlassian", record)["userIdentity"]
    assert (identity["principalId"], identity["details"]) == ("557058:9", actor)


@pytest.mark.parametrize(
    ("members", "kind"), [({"type": "NORMAL"}, "User"), ({"type": "SERVICE"}, "SERVICE"), ({}, "User")]
)
def test_bitbuckets_webhooks_name_an_actor_as_its_audit_log_does(members: dict[str, str], kind: str) -> None:
    actor = {"id": 2001, "name": "mira"} | members
    pushed = {"eventKey": "repo:refs_changed", "date": "2025-11-05T09:30:46+0100", "actor": actor}
    searched = {"type": {"action": "Audit Log search performed"}, "timestamp": "2025-11-05T08:30:46Z"}
    for event in (pushed, searched | {"author": actor | {"id": "2001"}}):
        identity = event_data("atlassian", event)["userIdentity"]
        assert (identity["type"], identity["principalId"]) == (kind, "2001")


@pytest.mark.parametrize("means", [{"token": {"_id": "t-1", "name": "ci"}}, {"app": {"_id": "a-1", "name": "IdP"}}, {}])
def test_by_what_a_member_of_launchdarklys_acted_is_told(means: dict[str, Any]) -> None:
    entry = {
        "_id": "e-1",
        "kind": "flag",
        "date": 1_762_331_405_123,
        "member": {"_id": "m-1", "email": "m@example.com"},
    }
    identity = event_data("launchdarkly", entry | means)["userIdentity"]
    assert (identity["type"], identity["principalId"]) == ("User", "m-1")
    assert identity["details"] == {"email": "m@example.com", **means}


@pytest.mark.parametrize(("impersonator", "kind"), [("8a04", "AssumedUser"), (None, "User"), ("", "User")])
def test_who_acts_in_the_name_of_a_user_of_cyberarks_is_told(impersonator: str | None, kind: str) -> None:
    event = {"EventType": "Cloud.Core.Login", "WhenOccurred": "/Date(1762331405123)/", "UserGuid": "7f93"}
    identity = event_data("cyberark", event | {"ImpersonatorUuid": impersonator})["userIdentity"]
    assert (identity["type"], identity["principalId"]) == (kind, "7f93")
    assert identity.get("details", {}).get("ImpersonatorUuid") == (impersonator or None)


@pytest.mark.parametrize(
    ("members", "kind"),
    [
        ({"actor_id": "p-2002"}, "AssumedUser"),
        ({"actor_id": "p-2002", "kong_initiated": True}, "System"),
        ({"actor_id": "p-2001"}, "Principal"),
        ({"actor_id": ""}, "Principal"),
        ({"actor_id": None}, "Principal"),
        ({}, "Principal"),
    ],
)
def test_who_acts_in_the_name_of_a_principal_of_konnects_is_told(members: dict[str, Any], kind: str) -> None:
    entry = {"event_class_id": "konnect", "event_product": "Konnect", "rt": "1762331405123", "principal_id": "p-2001"}
    identity = event_data("kong", entry | {"name": "Authz.portals", "action": "list"} | members)["userIdentity"]
    assert (identity["type"], identity["principalId"]) == (kind, "p-2001")
    assert identity.get("details", {}).get("actor_id") == (members.get("actor_id") or None)


@pytest.mark.parametrize(
    ("participant", "kind", "principal"),
    [
        ({"id": "2002", "user_name": "2001", "email": "jonas@example.com"}, "User", "2002"),
        ({"id": "", "user_name": "2001", "email": ""}, "Guest", "2001"),
        ({"id": None, "user_name": "2001", "email": "mira@example.com"}, "Guest", "mira@example.com"),
        ({"user_id": "16778240", "user_name": "2001"}, "Guest", "2001"),
        ({"id": "2002", "participant_user_id": "2002", "user_name": "2001"}, "User", "2002"),
        ({"id": "", "participant_user_id": "2002", "user_name": "2001"}, "User", "2002"),
        ({"participant_user_id": "2002", "user_name": "2001", "email": "jonas@example.com"}, "User", "2002"),
        ({"participant_user_id": "", "user_name": "2001"}, "Guest", "2001"),
    ],
)
def test_whoever_calls_themselves_by_a_users_id_in_a_meeting_is_not_that_user(
    participant: Any, kind: str, principal: str
) -> None:
    body = ZOOM | {"event": "meeting.participant_joined", "payload": {"object": {"participant": participant}}}
    identity = event_data("zoom", body)["userIdentity"]
    assert (identity["type"], identity["principalId"]) == (kind, principal)


@pytest.mark.parametrize(
    ("actor", "kind", "principal"),
    [
        ({"id": "00u1", "type": "User", "alternateId": "mira@example.com"}, "User", "00u1"),
        ({"id": "unknown", "type": "User", "alternateId": "00u1", "displayName": "unknown"}, "Anonymous", "00u1"),
        ({"id": None, "type": "User", "alternateId": "unknown", "displayName": "00u1"}, "Anonymous", "00u1"),
        ({"id": "unknown", "alternateId": "00u1"}, "Anonymous", "00u1"),
        ({"id": "unknown", "type": "PublicClientApp", "displayName": "lamps"}, "PublicClientApp", "lamps"),
        ({"id": "unknown", "type": "User", "alternateId": "unknown"}, "Service", "okta.com"),
    ],
)
def test_whoever_signs_in_to_okta_by_a_users_id_is_not_that_user(actor: Any, kind: str, principal: str) -> None:
    event = {"uuid": "o-1", "published": "2025-11-05T08:30:05Z", "eventType": "user.session.start", "actor": actor}
    identity = event_data("okta", event)["userIdentity"]
    assert (identity["type"], identity["principalId"]) == (kind, principal)


@pytest.mark.parametrize(
    ("members", "kind", "principal"),
    [
        ({"user_id": "auth0|2001", "user_name": "mira@example.com"}, "User", "auth0|2001"),
        ({"user_id": "", "user_name": "auth0|2001"}, "Anonymous", "auth0|2001"),
        ({"user_name": "auth0|2001"}, "Anonymous", "auth0|2001"),
    ],
)
def test_whoever_signs_in_with_auth0_by_a_users_id_is_not_that_user(
    members: Mapping[str, str], kind: str, principal: str
) -> None:
    identity = event_data("auth0", {**AUTH0, "type": "fu", **members})["userIdentity"]
    assert (identity["type"], identity["principalId"]) == (kind, principal)


@pytest.mark.parametrize(
    ("user", "kind", "principal"),
    [
        ("c-2@clients", "Client", "c-2"),
        ("auth0|c-2@clients", "User", "auth0|c-2@clients"),
        ("auth0|2001", "User", "auth0|2001"),
        ("", "Client", "c-1"),
    ],
)
def test_a_client_of_auth0s_that_acts_by_itself_is_no_user(user: str, kind: str, principal: str) -> None:
    request = {"method": "PATCH", "path": "/api/tenants/settings", "auth": {"subject": user}}
    event = AUTH0 | {"type": "gd_tenant_update", "user_id": user, "details": {"request": request}}
    identity = event_data("auth0", event)["userIdentity"]
    assert (identity["type"], identity["principalId"]) == (kind, principal)


@pytest.mark.parametrize("by", [{"actor_user_id": 10}, {"actor_user_name": "Ida Vik"}])
@pytest.mark.parametrize(
    ("member", "whoever", "nobody"),
    [
        ("assuming_acting_user_id", 99, [None, False, ""]),
        ("assumed_by_superadmin_or_reseller", True, [None, False, "", "false"]),
        ("assumed_by_superadmin_or_reseller", "true", []),
    ],
)
def test_who_has_assumed_another_user_is_told(
    by: Mapping[str, Any], member: str, whoever: Any, nobody: list[Any]
) -> None:
    event = {"uuid": "e-1", "event_timestamp": "2025-11-05 08:30:05 UTC", "event_type_id": 11, **by}
    identity = event_data("onelogin", event | {member: whoever})["userIdentity"]
    assert (identity["type"], identity["details"][member]) == ("AssumedUser", whoever)
    for value in nobody:
        assert event_data("onelogin", event | {member: value})["userIdentity"]["type"] == "User"


@pytest.mark.parametrize(
    ("author", "kind", "principal"),
    [
        ({"id": "-2", "name": "Anonymous", "type": "user"}, "Anonymous", "-2"),
        ({"id": "-1", "name": "System", "type": "system"}, "System", "-1"),
        ({"id": "2", "name": "Anonymous", "type": "user"}, "User", "2"),
        ({"id": "3", "name": "mira", "type": "NORMAL"}, "User", "3"),
        ({"id": "10000", "name": "mira", "type": "ApplicationUser"}, "User", "10000"),
        ({"id": "4", "name": "deploy", "type": "SERVICE"}, "SERVICE", "4"),
    ],
)
def test_who_was_not_signed_in_to_data_center_is_no_user(author: Mapping[str, str], kind: str, principal: str) -> None:
    for action in ("auditType", "type"):
        record = {action: {"action": "Group created"}, "author": author, "timestamp": {"epochSecond": 1_762_331_405}}
        assert event_data("atlassian", record)["userIdentity"] == {
            "type": kind,
            "principalId": principal,
            "details": author,
        }


@pytest.mark.parametrize(
    ("author", "kind"),
    [
        ({"type": "user", "displayName": "System", "accountType": ""}, "System"),
        ({"type": "user", "displayName": "System", "accountId": "", "username": ""}, "System"),
        ({"type": "user", "displayName": "System", "accountId": "2001"}, "User"),
        ({"type": "known", "displayName": "System", "username": "mira"}, "User"),
    ],
)
def test_a_person_who_is_called_system_is_a_person(author: Mapping[str, str], kind: str) -> None:
    record = {"summary": "User added to group", "creationDate": 1_762_331_405_123, "author": author}
    assert event_data("atlassian", record)["userIdentity"]["type"] == kind


@pytest.mark.parametrize(
    ("body", "actor"),
    [
        ({"event_simpleName": "ProcessRollup2", "timestamp": 1_762_331_405_000, "aid": "s-1"}, ("Sensor", "s-1")),
        (
            {"event_simpleName": "UserLogon", "timestamp": 1_762_331_405_000, "aid": "s-1", "UserName": "mira"},
            ("User", "mira"),
        ),
    ],
)
def test_windows_null_sid_names_nobody(body: Mapping[str, Any], actor: tuple[str, str]) -> None:
    identity = event_data("crowdstrike", {**body, "UserSid": "S-1-0-0"})["userIdentity"]
    assert (identity["type"], identity["principalId"]) == actor


@pytest.mark.parametrize(
    ("named", "actor"), [({}, "crowdstrike.com"), ({"UserName": "mira"}, "mira")], ids=["nobody", "a name"]
)
def test_windows_null_sid_names_nobody_in_the_event_stream(named: Mapping[str, Any], actor: str) -> None:
    event = {"properties": {"UserSid": "S-1-0-0", **named}, "timestamp": "2025-11-05T08:30:00Z"}
    sent = {"metadata": {"eventType": "Vertex"}, "event": event}
    assert event_data("crowdstrike", sent)["userIdentity"]["principalId"] == actor


def test_by_which_token_somebody_acted_in_cloudflare_is_told() -> None:
    entry = {"AuditLogID": "a-1", "ActionType": "create", "ActionTimestamp": "2025-11-05T08:30:05Z"}
    token = {"ActorContext": "api_token", "ActorTokenDetails": {"ID": "t-1", "Name": "deploys"}}
    identity = event_data("cloudflare", entry | {"ActorID": "acc-1", "ActorType": "account"} | token)["userIdentity"]
    assert identity == {"type": "account", "principalId": "acc-1", "details": token}


@pytest.mark.parametrize("event", ["UserLogonFailed", "UserLogonFailed2"])
@pytest.mark.parametrize(
    ("members", "kind", "principal"),
    [
        ({"UserName": "mira"}, "Anonymous", "mira"),
        ({"UserName": "mira", "UserSid": ""}, "Anonymous", "mira"),
        ({"UserName": "mira", "UserSid": "S-1-0-0"}, "Anonymous", "mira"),
        ({"UserName": "mira", "UserSid": " "}, "Anonymous", "mira"),
        ({"UserName": "mira", "UserSid": "S-1-5-21-2001"}, "User", "S-1-5-21-2001"),
        ({}, "Sensor", "a-1"),
    ],
)
def test_whoever_fails_to_log_on_under_a_name_at_a_sensor_of_crowdstrikes_is_not_that_user(
    event: str, members: dict[str, str], kind: str, principal: str
) -> None:
    record = {"id": "e-1", "aid": "a-1", "timestamp": "1762331405123"}
    for named in ("event_simpleName", "fdr_event_type"):
        data = event_data("crowdstrike", record | members | {named: event})
        assert (data["userIdentity"]["type"], data["userIdentity"]["principalId"]) == (kind, principal)
        assert data["errorCode"] == event
    logged_on = event_data("crowdstrike", record | members | {"event_simpleName": "UserLogon"})
    assert logged_on["userIdentity"]["type"] != "Anonymous"
    assert "errorCode" not in logged_on


@pytest.mark.parametrize(
    ("members", "actor"),
    [
        ({"user": "unknown", "userkey": "Unknown"}, ("Service", "netskope.com")),
        ({"user": "unknown", "acting_user": "mira@example.com"}, ("User", "mira@example.com")),
    ],
)
def test_unknown_is_nobodys_name_to_netskope(members: Mapping[str, str], actor: tuple[str, str]) -> None:
    identity = event_data("netskope", {"_id": "n-1", "timestamp": 1_762_331_405, "type": "page", **members})[
        "userIdentity"
    ]
    assert (identity["type"], identity["principalId"]) == actor


@pytest.mark.parametrize(
    ("event", "members"),
    [
        ("webinar.chat_message_sent", {"chat_message": {"sender_name": "2001", "sender_email": ""}}),
        ("meeting.chat_message_file_sent", {"chat_message_file": {"sender_name": "2001"}}),
        ("session.user_joined", {"user": {"id": "", "name": "2001"}}),
        ("cobrowse.session_user_joined", {"user_id": "2001", "user_name": "Mira Holt", "role_type": "customer"}),
        ("scheduler.scheduled_event_created", {"invitee_email": "2001"}),
        ("scheduler.scheduled_event_canceled", {"cancellation": {"canceled_by": "2001", "canceler_type": "invitee"}}),
        ("scheduler.scheduled_event_canceled", {"cancellation": {"canceled_by": "2001"}}),
    ],
)
def test_a_name_alone_in_zoom_is_a_guests(event: str, members: Mapping[str, Any]) -> None:
    identity = event_data("zoom", ZOOM | {"event": event, "payload": {"object": members}})["userIdentity"]
    assert (identity["type"], identity["principalId"]) == ("Guest", "2001")


GHOST = {"login": "ghost", "id": 10137, "type": "User"}


@pytest.mark.parametrize(
    ("members", "kind", "principal"),
    [
        ({"sender": GHOST}, "Service", "github.com"),
        ({"sender": {"login": "ghost", "type": "User"}}, "Service", "github.com"),
        ({"sender": GHOST, "installation": {"id": 6001}}, "Service", "github.com"),
        ({"installation": {"id": 6001}}, "Installation", "6001"),
        ({"sender": {"login": "mira", "type": "User"}}, "User", "mira"),
        ({"sender": {"login": "ghost-writer", "id": 2001, "type": "User"}}, "User", "2001"),
        ({"sender": {"login": "mira", "id": 2001}, "installation": {"id": 6001}}, "User", "2001"),
    ],
)
def test_nobody_is_named_who_caused_a_webhook_of_githubs_that_github_gives_to_nobody(
    members: Mapping[str, Any], kind: str, principal: str
) -> None:
    headers = {"x-github-event": "check_suite", "x-github-delivery": "d-1"}
    identity = event_data("github", {"action": "completed", **members}, headers)["userIdentity"]
    assert (identity["type"], identity["principalId"]) == (kind, principal)


@pytest.mark.parametrize(
    ("actor", "kind"),
    [
        ("user", "User"),
        ("admin", "cloudflare_admin"),
        ("Cloudflare", "Cloudflare"),
        ("system", "system"),
        (None, "User"),
    ],
)
def test_an_admin_of_cloudflares_is_no_admin_of_the_account(actor: str | None, kind: str) -> None:
    logpush = {"ActionType": "change_setting", "When": "2025-11-05T08:30:05Z", "ActorID": "c-1", "ActorType": actor}
    api = {"action": {"type": "change_setting"}, "when": "2025-11-05T08:30:05Z", "actor": {"id": "c-1", "type": actor}}
    for entry in (logpush, api):
        identity = event_data("cloudflare", entry)["userIdentity"]
        assert (identity["type"], identity["principalId"]) == (kind, "c-1")


@pytest.mark.parametrize(
    ("members", "kind"),
    [
        ({"is_netskope_personnel": True}, "NetskopePersonnel"),
        ({"is_netskope_personnel": "true"}, "NetskopePersonnel"),
        ({"is_netskope_personnel": False}, "User"),
        ({"is_netskope_personnel": None}, "User"),
        ({}, "User"),
    ],
)
def test_netskopes_personnel_are_no_users_of_the_tenant(members: Mapping[str, Any], kind: str) -> None:
    event = {"timestamp": 1_762_331_405, "audit_log_event": "Created new admin", "user": "ida@example.net", **members}
    identity = event_data("netskope", event)["userIdentity"]
    assert (identity["type"], identity["principalId"]) == (kind, "ida@example.net")


@pytest.mark.parametrize(
    ("members", "kind", "principal"),
    [
        ({"actor": "deploy_key", "user_id": 0}, "DeployKey", "deploy_key"),
        ({"actor": "deploy_key", "actor_id": 0}, "DeployKey", "deploy_key"),
        ({"actor": "deploy_key", "actor_id": 2001}, "User", "2001"),
        ({"actor": "harbor-works", "actor_id": 5001, "org_id": 5001}, "Organization", "5001"),
        ({"actor": "harbor-works", "actor_id": "5001", "org_id": 5001.0}, "Organization", "5001"),
        ({"actor": "github", "actor_id": 9919, "org_id": 5001}, "Organization", "9919"),
        ({"actor": "github-fan", "actor_id": 2001, "org_id": 5001}, "User", "2001"),
        ({"actor": "mira", "actor_id": 2001, "org_id": 5001, "business_id": 2001}, "User", "2001"),
        ({"actor": "5001", "org_id": 5001}, "User", "5001"),
        ({"actor": "mira", "actor_id": 0, "org_id": 0}, "User", "mira"),
    ],
)
def test_a_deploy_key_or_an_organization_is_no_user_in_githubs_log(
    members: Mapping[str, Any], kind: str, principal: str
) -> None:
    entry = {"@timestamp": 1_700_000_000_000, "action": "git.clone", **members}
    identity = event_data("github", entry)["userIdentity"]
    assert (identity["type"], identity["principalId"]) == (kind, principal)


@pytest.mark.parametrize(
    ("pusher", "kind"), [("deploy_key", "DeployKey"), ("user", "User"), ("", "User"), (None, "User")]
)
@pytest.mark.parametrize("event", ["create", "delete"])
def test_whoever_added_a_deploy_key_to_github_did_not_push_with_it(event: str, pusher: str | None, kind: str) -> None:
    body = {"ref": "v1.2", "pusher_type": pusher, "sender": {"login": "mira", "id": 2001, "type": "User"}}
    identity = event_data("github", body, {"x-github-event": event})["userIdentity"]
    assert (identity["type"], identity["principalId"]) == (kind, "2001")


def test_an_app_that_acts_on_behalf_of_a_user_of_githubs_is_told() -> None:
    by = "GitHub App user-to-server token"
    entry = {"@timestamp": 1_700_000_000_000, "action": "repo.create", "actor": "mona", "programmatic_access_type": by}
    identity = event_data("github", entry)["userIdentity"]
    assert identity == {
        "type": "User",
        "principalId": "mona",
        "details": {"actor": "mona", "programmatic_access_type": by},
    }


@pytest.mark.parametrize(("said", "kind"), [("external_user", "external_user"), ("user", "User"), (None, "User")])
def test_somebody_of_another_account_is_no_user_of_this_one_at_1password(said: str | None, kind: str) -> None:
    user = {"uuid": "u-1", "user_type": said}
    for event in (
        {"item_uuid": "i", "vault_uuid": "v", "user": user},
        {"category": "success", "target_user": user},
        {"action": "create", "actor_uuid": "u-1", "actor_type": said},
    ):
        body = {"uuid": "e-1", "timestamp": "2025-11-05T08:30:05Z", **event}
        identity = event_data("onepassword", body)["userIdentity"]
        assert (identity["type"], identity["principalId"]) == (kind, "u-1")
