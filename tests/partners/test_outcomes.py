"""What failed or was refused says so, by its partner's own word for it, and nothing else does."""

from collections.abc import Mapping
from typing import Any

import pytest
from tests.partners.cases import event_data

from trailhook.audit_event import NO_REASON


def auto_destroy(trigger: str, **details: Any) -> Mapping[str, Any]:
    empty = {"run_created_at": None, "run_status": None, "run_external_id": None, "run_create_error_message": None}
    body = {"payload_version": "2", "trigger_scope": "workspace", "trigger": f"workspace:auto_destroy_{trigger}"}
    return body | {"message": "Auto Destroy", "details": empty | details}


TERRAFORM = {"id": "a-1", "timestamp": "2025-11-05T08:30:00Z", "auth": {"accessor_id": "user-1", "type": "Client"}}
RUN = {"run_id": "r-1", "run_created_at": "2025-11-05T08:30:05Z"}
TASK_RESULT = {"type": "task_result", "action": "callback"}


def assessment(trigger: str) -> Mapping[str, Any]:
    body = {"payload_version": "2", "trigger_scope": "assessment", "trigger": f"assessment:{trigger}"}
    return body | {"message": "Checked", "details": {"new_assessment_result": {"created_at": "2025-11-05T08:30:00Z"}}}


def atlassian(words: str) -> list[Mapping[str, Any]]:
    """The same words as each of Atlassian's audit logs tells what was done."""
    person = {"id": "2", "name": "mira", "type": "NORMAL"}
    return [
        {"auditType": {"action": words}, "author": person, "timestamp": {"epochSecond": 1_762_331_405}},
        {"type": {"action": words}, "author": person, "timestamp": "2025-11-05T08:30:05Z"},
        {"summary": words, "author": {"username": "mira"}, "creationDate": 1_762_331_405_123},
        {"summary": words, "created": "2025-11-05T08:30:05.123+0000", "id": 1},
        {"id": "e-1", "attributes": {"action": words, "time": "2025-11-05T08:30:05Z"}},
    ]


CYBERARK = {"uuid": "u-1", "auditCode": "IDP2004", "auditType": "Info", "timestamp": 1_762_331_405_123}
NETSKOPE = {"_id": "n-1", "timestamp": 1_762_331_405}
GITLAB = {"author_id": 3, "entity_id": 2, "entity_type": "Group", "created_at": "2025-11-05T08:30:05Z"}
OKTA = {"uuid": "o-1", "published": "2025-11-05T08:30:05Z"}
VAULT = {"iso_timestamp": "2025-11-05T08:30:05Z", "issuer": "mira", "severity": "Info", "reason": "Not known"}
VAULT_SYSLOG = {"IsoTimestamp": "2025-11-05T08:30:05Z", "Issuer": "mira", "Reason": "Not known"}
KONNECT = {"event_class_id": "k-1", "event_product": "Konnect", "event_ts": "2025-11-05T08:30:05Z", "name": "Refused"}
STREAM = {"eventType": "AuthActivityAuditEvent", "eventCreationTime": 1_762_331_405}
IDENTITY = {"ID": "i-1", "WhenOccurred": "/Date(1762331405123)/", "Level": "Info", "FailReason": "Bad password"}


@pytest.mark.parametrize(
    ("partner", "body", "code", "message"),
    [
        ("cyberark", CYBERARK | {"action": "User login failed", "message": "Bad password"}, "IDP2004", "Bad password"),
        ("cyberark", CYBERARK | {"action": "cloud.core.loginfail"}, "IDP2004", NO_REASON),
        ("cyberark", CYBERARK | {"action": "User login successful"}, None, None),
        ("cyberark", CYBERARK | {"action": "Failover Vault"}, None, None),
        ("cyberark", IDENTITY | {"EventType": "Cloud.Core.LoginFail"}, "Cloud.Core.LoginFail", "Bad password"),
        ("cyberark", IDENTITY | {"EventType": "Cloud.Core.Login"}, None, None),
        ("cyberark", IDENTITY | {"EventType": "Cloud.Core.Login", "Level": "Error"}, "Error", "Bad password"),
        ("cyberark", VAULT | {"desc": "Create Discovery Failed"}, "Create Discovery Failed", "Not known"),
        ("cyberark", VAULT | {"desc": "Create Discovery Succeeded"}, None, None),
        ("cyberark", VAULT | {"desc": "User Authentication", "severity": "Error"}, "Error", "Not known"),
        *(
            ("atlassian", body, words if failed else None, NO_REASON if failed else None)
            for words, failed in {
                "User login failed": True,
                "Failed to export space": True,
                "System backup failed": True,
                "user_login_failed": True,
                "Backup failure": True,
                "User login successful": False,
                "Failover node added": False,
                "Access request denied": False,
            }.items()
            for body in atlassian(words)
        ),
        *(
            ("gitlab", GITLAB | event, name if failed else None, NO_REASON if failed else None)
            for name, failed in {
                "login_failed_with_otp_authentication": True,
                "group_access_token_creation_failed": True,
                "inactive_scim_user_cannot_be_added": True,
                "security_policy_scheduled_scans_not_enforced": True,
                "security_policy_violations_detected": False,
                "user_rejected": False,
            }.items()
            # As it is streamed, as its details tell it, and as a line of the file does.
            for event in ({"event_type": name}, {"details": {"event_name": name}}, {"event_name": name})
        ),
        *(
            (
                "gitlab",
                GITLAB | {"event_type": name, "details": {"allowed": allowed, "custom_message": "Attempted"}},
                "not_allowed" if failed else None,
                "Attempted" if failed else None,
            )
            for name, allowed, failed in (
                ("ip_restricted_group_accessed", False, True),
                ("ip_restricted_group_accessed", True, False),
                ("ip_restricted_group_accessed", None, False),
                ("group_created", False, False),
            )
        ),
        *(
            (
                "okta",
                OKTA | {"eventType": "pam.resource.checkin.end", "outcome": {"result": result}},
                result if failed else None,
                NO_REASON if failed else None,
            )
            for result, failed in {
                "FAILURE": True,
                "FAILED": True,
                "DENY": True,
                "deny": True,
                "SUCCESS": False,
                "ALLOW": False,
                "CHALLENGE": False,
                "SKIPPED": False,
                "UNKNOWN": False,
                "RATE_LIMIT": False,
                "DEFERRED": False,
                "SCHEDULED": False,
                "ABANDONED": False,
                "UNANSWERED": False,
            }.items()
        ),
        *(
            (
                "okta",
                OKTA
                | {"eventType": "security.threat.detected", "outcome": {"result": result, "reason": "Password Spray"}},
                result if failed else None,
                "Password Spray" if failed else None,
            )
            for result, failed in {"RATE_LIMIT": True, "DENY": True, "ALLOW": False}.items()
        ),
        *(
            ("slack", {"action": action, "date_create": 1_762_331_405, "details": details}, code, code and NO_REASON)
            for action, details, code in (
                ("slack_ai_mcp_tool_called", {"tool_name": "light", "success": False}, "Failed"),
                ("slack_ai_mcp_tool_called", {"tool_name": "light", "success": True}, None),
                ("team.unsupportedVersions.job.end", {"is_error": True}, "Failed"),
                ("team.unsupportedVersions.job.end", {"is_error": False}, None),
            )
        ),
        *(
            ("slack", {"action": action, "date_create": 1_762_331_405}, action if failed else None, failed)
            for action, failed in {
                "user_login_failed": NO_REASON,
                "object_import_failed": NO_REASON,
                "search_query_audit_logs_max_rows_failure": NO_REASON,
                "team.unsupportedVersions.start.failure": NO_REASON,
                "file_downloaded_blocked": NO_REASON,
                "file_upload_blocked_by_type": NO_REASON,
                "ip_allowlist_access_denied": NO_REASON,
                "user_login": None,
                "file_downloaded": None,
                "pref.block_file_download_for_unapproved_ip": None,
                "external_shared_channel_invite_request_denied": None,
            }.items()
        ),
        *(
            (
                "netskope",
                NETSKOPE | {"audit_log_event": name, "supporting_data": {"data_type": kind, "data_values": values}},
                code,
                message,
            )
            for name, kind, values, code, message in (
                ("Rest API V2 Call", "incidents", [403, "POST", "/api/v2/incidents"], "403", NO_REASON),
                ("Rest API V2 Call", "incidents", [200, "POST", "/api/v2/incidents"], None, None),
                ("Edited policy", "policy", [500], None, None),
                ("Login Failed", "user", ["192.0.2.7"], "Failed", "Login Failed"),
                (
                    "Admin logged out because of successive login failures",
                    "user",
                    [],
                    "Failed",
                    "Admin logged out because of successive login failures",
                ),
            )
        ),
        # What marks a failure may be neither a text nor a number.
        (
            "onelogin",
            {"event_type_id": 5, "event_timestamp": "2025-11-05 08:30:05 UTC", "error_description": {"code": 7}},
            "Failed",
            NO_REASON,
        ),
        ("netskope", NETSKOPE | {"activity": "Login Failed"}, "Failed", "Login Failed"),
        ("netskope", NETSKOPE | {"activity": "", "app_activity": "Login Failed"}, "Failed", "Login Failed"),
        ("netskope", NETSKOPE | {"activity": "Login Successful"}, None, None),
        ("netskope", NETSKOPE | {"activity": "Login Failed", "action": "block", "policy": "p"}, "block", "p"),
        *(
            ("zoom", {"event": event, "event_ts": 1_762_331_405_123, "payload": {"object": reason}}, code, message)
            for event, reason, code, message in (
                ("phone.sms_sent_failed", {"failure_reason": "Opted out"}, "phone.sms_sent_failed", "Opted out"),
                ("phone.recording_failed", {}, "phone.recording_failed", NO_REASON),
                ("phone.sms_etiquette_block", {}, "phone.sms_etiquette_block", NO_REASON),
                ("phone.sms_sent", {"failure_reason": ""}, None, None),
                ("phone.sms_sent", {"failure_reason": "1101-phone message error send"}, None, None),
                ("phone.blind_transfer_initiated", {"failure_reason": "Busy"}, "Failed", "Busy"),
                ("phone.conference_started", {"failure_reason": ""}, None, None),
                ("phone.callee_parked", {"park_failure_reason": "Park successfully."}, None, None),
                (
                    "meeting.participant_room_system_callout_failed",
                    {"reason_type": 0},
                    "meeting.participant_room_system_callout_failed",
                    "reason_type:0",
                ),
                # What a person refuses is done.
                ("meeting.registration_denied", {}, None, None),
            )
        ),
        ("terraform", assessment("failed"), "assessment:failed", "Checked"),
        ("terraform", assessment("check_failure"), "assessment:check_failure", "Checked"),
        ("terraform", assessment("drifted"), None, None),
        *(
            ("terraform", TERRAFORM | {"resource": resource}, code, message)
            for resource, code, message in (
                ({"type": "policy_check", "action": "hard_failed"}, "hard_failed", NO_REASON),
                ({"type": "policy_check", "action": "passed"}, None, None),
                ({"type": "policy_check", "action": "overridden"}, None, None),
                ({"type": "policy_evaluation", "action": "fail"}, "fail", NO_REASON),
                ({"type": "stacks-deployment_step", "action": "fail"}, None, None),
                (TASK_RESULT | {"meta": {"task_result_status": "failed", "task_result_message": "m"}}, "failed", "m"),
                (TASK_RESULT | {"meta": {"task_result_status": "passed", "task_result_message": "m"}}, None, None),
                (TASK_RESULT | {"meta": None}, None, None),
            )
        ),
        ("terraform", auto_destroy("reminder", auto_destroy_at="2026-01-02T00:00:00Z"), None, None),
        ("terraform", auto_destroy("run_results", run_status="applied"), None, None),
        ("terraform", auto_destroy("run_results", run_status="errored"), "errored", "Auto Destroy"),
        ("terraform", auto_destroy("results", run_status="canceled"), "canceled", "Auto Destroy"),
        (
            "terraform",
            auto_destroy("results", run_create_error_message="Configuration version is missing"),
            "RunNotCreated",
            "Configuration version is missing",
        ),
    ],
)
def test_a_failure_is_one_and_says_why(
    partner: str, body: Mapping[str, Any], code: str | None, message: str | None
) -> None:
    data = event_data(partner, body)
    assert (data.get("errorCode"), data.get("errorMessage")) == (code, message)


# Every word of those by which a descriptor tells a failure, and one that tells none.
@pytest.mark.parametrize(
    ("partner", "body", "code", "message"),
    [
        *(
            ("cloudflare", body, result if failed else None, NO_REASON if failed else None)
            for result, failed in {"success": False, "failure": True, "failed": True, "error": True}.items()
            for body in (
                {"AuditLogID": "c-1", "ActionType": "a", "ActionTimestamp": 1_762_331_405, "ActionResult": result},
                {"id": "c-1", "action": {"type": "a", "time": "2025-11-05T08:30:05Z", "result": result}},
            )
        ),
        *(
            ("cloudflare", {"when": "2025-11-05T08:30:05Z", "action": {"type": "a", "result": result}}, code, message)
            for result, code, message in (
                (True, None, None),
                (False, "ActionFailed", NO_REASON),
                ("failure", "ActionFailed", NO_REASON),
            )
        ),
        *(
            ("crowdstrike", body, "Failed" if failed else None, NO_REASON if failed else None)
            for success, failed in {True: False, "true": False, False: True, "false": True}.items()
            for body in (
                {"metadata": STREAM, "event": {"OperationName": "a", "Success": success}},
                {"ExternalApiType": "a", "timestamp": 1_762_331_405_123, "Success": success},
            )
        ),
        *(
            ("cyberark", CYBERARK | {"action": "a", "auditType": kind}, "IDP2004", NO_REASON)
            for kind in ("Error", "Critical", "Failure", "Failed")
        ),
        ("cyberark", VAULT | {"desc": "a", "severity": "Critical"}, "Critical", "Not known"),
        *(
            ("cyberark", VAULT | {"reason": "", "message": "m", "desc": desc, "severity": severity}, code, "m")
            for desc, severity, code in (("a", "Error", "Error"), ("Logon Failed", "Info", "Logon Failed"))
        ),
        *(
            ("cyberark", IDENTITY | {"FailReason": "", "Message": "m", "EventType": name, "Level": level}, code, "m")
            for name, level, code in (("a", "Error", "Error"), ("LoginFail", "Info", "LoginFail"))
        ),
        *(
            ("cyberark", {"syslog": {"audit_record": VAULT_SYSLOG | record}}, code, message)
            for record, code, message in (
                ({"Desc": "a", "Severity": "Info"}, None, None),
                ({"Desc": "a", "Severity": "Error"}, "Error", "Not known"),
                ({"Desc": "a", "Severity": "Critical"}, "Critical", "Not known"),
                ({"Desc": "Create Discovery Failed", "Severity": "Info"}, "Create Discovery Failed", "Not known"),
                ({"Desc": "a", "Severity": "Error", "Reason": "", "Message": "m"}, "Error", "m"),
                ({"Desc": "Logon Failed", "Reason": "", "Message": "m"}, "Logon Failed", "m"),
            )
        ),
        *(
            ("kong", KONNECT | {member: said}, code if failed else None, NO_REASON if failed else None)
            for member, code in {"granted": "NotGranted", "success": "Refused"}.items()
            for said, failed in {True: False, "true": False, False: True, "false": True}.items()
        ),
        *(
            ("kong", {"type": "authorization", "ts": 1_762_331_405, "granted": granted}, code, message)
            for granted, code, message in ((True, None, None), (False, "NotGranted", NO_REASON))
        ),
        *(
            ("netskope", NETSKOPE | {"activity": "a", "action": action, "alert_name": "n"}, action, "n")
            for action in ("block", "blocked", "Block", "Blocked")
        ),
        *(
            (
                "onepassword",
                {"uuid": "s-1", "timestamp": 1_762_331_405, "category": category, "type": "t"},
                code,
                message,
            )
            for category, code, message in (
                ("success", None, None),
                ("firewall_reported_success", None, None),
                ("mfa_failed", "mfa_failed", "t"),
            )
        ),
        *(
            (
                "terraform",
                RUN | {"notifications": [{"trigger": "a", "run_status": status, "message": "m"}]},
                code,
                message,
            )
            for status, code, message in (
                ("applied", None, None),
                ("errored", "errored", "m"),
                ("canceled", "canceled", "m"),
                ("force_canceled", "force_canceled", "m"),
            )
        ),
        ("terraform", auto_destroy("results", run_status="force_canceled"), "force_canceled", "Auto Destroy"),
        *(
            ("terraform", TERRAFORM | {"resource": {"type": kind, "action": action}}, action, NO_REASON)
            for kind, action in (
                ("policy_check", "soft_failed"),
                ("policy_check", "errored"),
                ("policy_evaluation", "error"),
            )
        ),
        (
            "terraform",
            TERRAFORM | {"resource": TASK_RESULT | {"meta": {"task_result_status": "errored"}}},
            "errored",
            NO_REASON,
        ),
    ],
)
def test_every_word_for_a_failure_is_known(
    partner: str, body: Mapping[str, Any], code: str | None, message: str | None
) -> None:
    data = event_data(partner, body)
    assert (data.get("errorCode"), data.get("errorMessage")) == (code, message)
