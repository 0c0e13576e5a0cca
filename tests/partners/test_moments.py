"""When something happened, and never when something else did to what the event is about."""

from collections.abc import Mapping
from typing import Any

import pytest
from tests.partners.cases import event_data

MADE, CHANGED = "2019-11-05T08:30:00Z", "2020-11-05T08:30:00Z"
RECEIVED = "2026-01-01T00:00:00Z"
ACCOUNT = {"created_at": MADE, "updated_at": CHANGED, "user_id": 2002}
PIPELINE = {"created_at": MADE, "finished_at": CHANGED}
ISSUE = {"id": "i-1", "createdAt": MADE, "sourceRule": {"id": "r-1"}}


def emoji(event_type: str) -> Mapping[str, Any]:
    award = {"name": "lamp", "created_at": MADE, "updated_at": CHANGED, "action": event_type}
    return {"object_kind": "emoji", "event_type": event_type, "object_attributes": award}


@pytest.mark.parametrize(
    ("partner", "body", "moment"),
    [
        *(
            ("gitlab", {"event_name": name} | ACCOUNT, moment)
            for name, moment in {
                "user_create": CHANGED,
                "user_add_to_group": CHANGED,
                "user_update_for_group": CHANGED,
                "user_access_request_to_project": CHANGED,
                "project_rename": CHANGED,
                "user_destroy": RECEIVED,
                "subgroup_destroy": RECEIVED,
                "user_remove_from_team": RECEIVED,
                "user_access_request_revoked_for_project": RECEIVED,
                "user_failed_login": RECEIVED,
                "unheard_of": RECEIVED,
            }.items()
        ),
        ("gitlab", {"event_name": "key_create", "created_at": MADE}, MADE),
        ("gitlab", {"event_name": "project_transfer", "created_at": MADE}, RECEIVED),
        ("gitlab", emoji("award"), CHANGED),
        ("gitlab", emoji("revoke"), RECEIVED),
        *(
            (
                "gitlab",
                {"object_kind": kind, "event_name": f"expiring_{kind}"}
                | {"object_attributes": {"name": "ci", "created_at": MADE, "expires_at": "2026-01-07"}},
                RECEIVED,
            )
            for kind in ("access_token", "deploy_token")
        ),
        *(
            ("gitlab", {"object_kind": "milestone", "object_attributes": dict(ACCOUNT), "action": action}, moment)
            for action, moment in {"create": CHANGED, "close": CHANGED, "delete": RECEIVED}.items()
        ),
        *(
            (
                "atlassian",
                {"actor": {"uuid": "u"}, "repository": {"uuid": "r"}, "pullrequest": {"id": 1, "updated_on": updated}}
                | {name: {"date": date}},
                CHANGED,
            )
            for name in ("approval", "changes_request")
            for updated, date in ((MADE, CHANGED), (CHANGED, MADE), (CHANGED, None), (None, CHANGED))
        ),
        # What links an issue to a vulnerability does not change it.
        *(
            ("gitlab", {"object_kind": "vulnerability", "object_attributes": ACCOUNT | {"issues": issues}}, moment)
            for issues, moment in (
                ([], CHANGED),
                (None, CHANGED),
                ([{"title": "Renew it", "created_at": MADE}], RECEIVED),
            )
        ),
        # A pipeline that is retried, or a job that waited to be started by hand, has times from long before.
        *(
            ("gitlab", {"object_kind": "pipeline", "object_attributes": {"status": status, **PIPELINE}}, moment)
            for status, moment in {
                "created": MADE,
                "pending": RECEIVED,
                "running": RECEIVED,
                "success": CHANGED,
                "failed": CHANGED,
                "canceled": CHANGED,
            }.items()
        ),
        *(
            ("gitlab", {"object_kind": "build", "build_status": status, "build_created_at": MADE} | times, moment)
            for status, times, moment in (
                ("created", {}, MADE),
                ("pending", {}, RECEIVED),
                ("running", {"build_started_at": CHANGED}, CHANGED),
                ("success", {"build_started_at": MADE, "build_finished_at": CHANGED}, CHANGED),
            )
        ),
        ("wiz", ISSUE | {"status": "OPEN", "updatedAt": CHANGED}, MADE),
        ("wiz", ISSUE | {"status": "RESOLVED", "updatedAt": RECEIVED, "statusChangedAt": CHANGED}, CHANGED),
        ("wiz", ISSUE | {"status": "RESOLVED", "updatedAt": CHANGED}, CHANGED),
        *(
            ("wiz", {"trigger": {"source": "ISSUE", "type": kind}, "issue": {"id": "i-1"} | times}, moment)
            for kind, times, moment in (
                ("Created", {"created": MADE}, MADE),
                ("CREATED", {"created": MADE}, MADE),
                ("Resolved", {"created": MADE}, RECEIVED),
                ("Resolved", {"created": MADE, "updated": CHANGED}, CHANGED),
            )
        ),
    ],
)
def test_the_moment_is_that_of_what_the_event_tells(partner: str, body: Mapping[str, Any], moment: str) -> None:
    data = event_data(partner, body)
    assert data["eventTime"] == moment
    assert (data.get("additionalEventData") == {"eventTimeSource": "receipt"}) is (moment == RECEIVED)
