"""GitHub's audit-log entries in the forms that forwarders and older servers give them."""

from typing import Any
from urllib.parse import quote

import pytest
from tests.partners.cases import compact, delivery, event_data, outcomes, refusal

ENTRY = {"_document_id": "doc-1", "@timestamp": 1_700_000_000_000, "action": "repo.create", "actor": "mona"}


def test_what_hec_wraps_is_the_event() -> None:
    event = event_data("github", {"event": ENTRY, "sourcetype": "github"})
    assert (event["UID"], event["requestParameters"]) == ("doc-1", ENTRY)


def test_an_entry_with_an_action_and_a_member_called_event_is_bare() -> None:
    bare = {**ENTRY, "event": {"action": "repo.destroy", "_document_id": "doc-2"}}
    event = event_data("github", bare)
    assert (event["UID"], event["eventName"], event["requestParameters"]) == ("doc-1", "repo.create", bare)


@pytest.mark.parametrize("inner", [None, {}, [], "repo.create", 1])
def test_a_wrapper_without_an_event_in_it_is_refused_as_what_it_is(inner: Any) -> None:
    body = compact({"event": inner, "_document_id": "doc-1"})
    [outcome] = outcomes(delivery("github", body.encode()))
    assert (outcome["refused"], outcome["uid"]) == ("MissingField", "doc-1")


@pytest.mark.parametrize(
    ("members", "uid"),
    [
        ({"_document_id": "above", "data": {"_document_id": "below"}}, "above"),
        ({"_document_id": None, "data": {"_document_id": "below"}}, "below"),
        ({"_document_id": " ", "data": {"_document_id": "below"}}, "below"),
        ({"_document_id": 51111}, "51111"),
    ],
)
def test_an_entrys_own_id_is_the_one_above(members: dict[str, Any], uid: str) -> None:
    assert event_data("github", ENTRY | members)["UID"] == uid


@pytest.mark.parametrize("odd", [None, True, 5.5, [], {}, " ", ""])
def test_an_id_that_is_no_text_is_none(odd: Any) -> None:
    uid = event_data("github", ENTRY | {"_document_id": odd})["UID"]
    assert len(uid) == 64
    assert uid != event_data("github", ENTRY | {"_document_id": odd, "n": 1})["UID"]


def test_the_time_of_creation_counts_where_there_is_no_other() -> None:
    created = ENTRY | {"@timestamp": None, "created_at": 1_700_000_001_000}
    assert event_data("github", created)["eventTime"] == "2023-11-14T22:13:21Z"


@pytest.mark.parametrize(("stamp", "code"), [(0, "BadTime"), ("", "BadTime"), ("soon", "BadTime")])
def test_a_broken_time_is_not_replaced_by_another(stamp: Any, code: str) -> None:
    assert refusal("github", ENTRY | {"@timestamp": stamp, "created_at": 1_700_000_001_000}) == code


def test_an_entry_without_a_time_is_refused() -> None:
    assert refusal("github", ENTRY | {"@timestamp": None}) == "MissingTime"


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (404, "404"),
        (404.0, "404"),
        ("404", "404"),
        (400, "400"),
        (500, "500"),
        (200, None),
        (399, None),
        ("200", None),
        (304.0, None),
        (404.5, None),
        ("4040", None),
        ("soon", None),
        ("٤٠٤", None),
        (True, None),
        (None, None),
    ],
)
def test_a_refused_request_is_a_failure_however_its_status_is_written(status: Any, code: str | None) -> None:
    event = event_data("github", ENTRY | {"action": "api.request", "status_code": status})
    assert event.get("errorCode") == code
    assert event["requestParameters"]["status_code"] == status


@pytest.mark.parametrize(
    ("conclusion", "code"),
    [
        ("failure", "failure"),
        ("timed_out", "timed_out"),
        ("startup_failure", "startup_failure"),
        ("success", None),
        ("cancelled", None),
        ("skipped", None),
        (None, None),
        (["failure"], None),
    ],
)
def test_a_workflow_that_ended_in_failure_is_one(conclusion: Any, code: str | None) -> None:
    event = event_data("github", ENTRY | {"action": "workflows.completed_workflow_run", "conclusion": conclusion})
    assert event.get("errorCode") == code


@pytest.mark.parametrize(
    ("action", "code"),
    [
        ("user.failed_login", "failed_login"),
        ("user.two_factor_challenge_failure", "two_factor_challenge_failure"),
        ("external_identity.scim_api_failure", "scim_api_failure"),
        ("public_key.verification_failure", "verification_failure"),
        ("protected_branch.rejected_ref_update", "rejected_ref_update"),
        ("user.two_factor_challenge_success", None),
        ("external_identity.scim_api_success", None),
        ("protected_branch.policy_override", None),
        ("workflows.reject_workflow_job", None),
        ("repository_invitation.reject", None),
        ("personal_access_token.request_denied", None),
        ("failure.notify", None),
        ("repo.failover", None),
    ],
)
def test_an_action_that_says_that_it_did_not_work_is_a_failure(action: str, code: str | None) -> None:
    assert event_data("github", ENTRY | {"action": action}).get("errorCode") == code


@pytest.mark.parametrize("headers", [{}, {"x-github-event": "push", "x-github-delivery": "d-1"}])
def test_a_form_holds_one_object_and_anything_else_in_it_is_kept_once(headers: dict[str, str]) -> None:
    """Each of many would be kept with the whole form, for no part of that could be sent again by itself."""
    for held, code in (([ENTRY] * 3, "NotAnObject"), (f"{compact(ENTRY)}\n{compact(ENTRY)}", "NotJson")):
        text = held if isinstance(held, str) else compact(held)
        [outcome] = outcomes(delivery("github", b"payload=" + quote(text).encode(), headers))
        assert outcome["refused"] == code
