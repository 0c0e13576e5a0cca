"""GitLab's audit events of before event names, where the member that says what was done is part of the name, and who is
behind events that name several.
"""

from typing import Any

import pytest
from tests.partners.cases import compact, delivery, event_data, outcomes

EVENT = {"author_id": 3, "entity_id": 2, "entity_type": "Project", "created_at": "2025-11-05T08:30:00Z"}


@pytest.mark.parametrize("within", [True, False])
@pytest.mark.parametrize("deed", ["change", "add", "remove", "with", "failed_login"])
def test_the_name_is_of_the_deed_and_of_what_it_was_done_to(deed: str, within: bool) -> None:
    said = {deed: "visibility"}
    assert event_data("gitlab", EVENT | ({"details": said} if within else said))["eventName"] == f"{deed}:visibility"


@pytest.mark.parametrize("nothing", [False, {}, ["visibility"], {"visibility": "public"}])
def test_a_deed_that_is_no_text_gives_no_name(nothing: Any) -> None:
    event = EVENT | {"change": nothing, "details": {}}
    assert event_data("gitlab", event | {"add": "user"})["eventName"] == "add:user"
    [outcome] = outcomes(delivery("gitlab", compact(event).encode()))
    assert outcome["reason"] == "The audit event has no event name"


@pytest.mark.parametrize("within", [True, False])
def test_a_git_operation_of_before_event_types_has_its_own_name(within: bool) -> None:
    said = {"custom_message": {"protocol": "ssh", "action": "git-upload-pack"}}
    assert event_data("gitlab", EVENT | ({"details": said} if within else said))["eventName"] == "git-upload-pack"
    typed = EVENT | {"event_type": "repository_git_operation", "details": said}
    assert event_data("gitlab", typed)["eventName"] == "repository_git_operation"


@pytest.mark.parametrize(
    ("name", "actor"),
    [
        ("user_access_request_to_group", ("User", "2002")),
        ("user_access_request_to_project", ("User", "2002")),
        ("user_access_request_revoked_for_group", ("Service", "gitlab.com")),
        ("user_access_request_denied_for_group", ("Service", "gitlab.com")),
        ("user_add_to_group", ("Service", "gitlab.com")),
    ],
)
def test_who_asks_for_access_asks_by_themselves(name: str, actor: tuple[str, str]) -> None:
    members = {"group_id": 78, "user_id": 2002, "user_name": "Jonas Vale", "user_username": "jonas"}
    event = {"event_name": name, "created_at": "2025-11-05T08:30:56Z", "updated_at": "2025-11-05T08:31:22Z", **members}
    identity = event_data("gitlab", event)["userIdentity"]
    assert (identity["type"], identity["principalId"]) == actor


@pytest.mark.parametrize(
    ("author", "details", "kind"),
    [
        (3, {}, "User"),
        (-1, {}, "Anonymous"),
        ("-1", {}, "Anonymous"),
        (-1, {"runner_registration_token": "GR1348"}, "CiRunnerToken"),
        (-1, {"runner_authentication_token": "glrt-1"}, "CiRunnerToken"),
        (-2, {}, "DeployToken"),
        (-3, {}, "DeployKey"),
        (-3, {"author_class": "DeployKey"}, "DeployKey"),
        (-1, {"author_class": "Gitlab::Audit::UnauthenticatedAuthor"}, "Gitlab::Audit::UnauthenticatedAuthor"),
        (-12, {}, "User"),
    ],
)
def test_an_author_who_is_no_user_is_not_called_one(author: Any, details: dict[str, str], kind: str) -> None:
    event = EVENT | {"author_id": author, "event_type": "group_created", "details": details}
    identity = event_data("gitlab", event)["userIdentity"]
    assert (identity["type"], identity["principalId"]) == (kind, str(author))


@pytest.mark.parametrize("within", [True, False])
@pytest.mark.parametrize(("by", "kind"), [("Ida Vik", "AssumedUser"), ("", "User"), (None, "User"), (False, "User")])
def test_whom_an_administrator_impersonates_is_no_user_by_themselves(by: Any, kind: str, within: bool) -> None:
    said = {"impersonated_by": by}
    details = {"author_class": "User"} | (said if within else {})
    event = EVENT | {"event_type": "group_created", "details": details} | ({} if within else said)
    identity = event_data("gitlab", event)["userIdentity"]
    assert (identity["type"], identity["principalId"]) == (kind, "3")
    assert by != "Ida Vik" or identity["details"]["impersonated_by"] == by


@pytest.mark.parametrize("within", [True, False])
def test_on_whose_behalf_a_service_account_acts_is_told_of_it(within: bool) -> None:
    human = {"human_author_id": 3, "human_author_name": "Mira Holt", "human_author_username": "mira"}
    event = EVENT | {"author_id": 77, "event_type": "group_created"} | ({"details": human} if within else human)
    identity = event_data("gitlab", event)["userIdentity"]
    assert (identity["principalId"], identity["details"]) == ("77", human)


@pytest.mark.parametrize(
    ("kind", "action", "by", "actor"),
    [
        ("gitlab_subscription_member_approval", "enqueue", {"requested_by_user_id": 99}, "99"),
        ("gitlab_subscription_member_approvals", "approve", {"reviewed_by_user_id": 101}, "101"),
        ("gitlab_subscription_member_approvals", "deny", {"reviewed_by_user_id": 101}, "101"),
        ("gitlab_subscription_member_approvals", "approve", {"reviewed_by_user_id": None}, "gitlab.com"),
    ],
)
def test_who_is_to_have_a_role_is_not_who_asked_for_it_or_decided(
    kind: str, action: str, by: dict[str, int | None], actor: str
) -> None:
    of_the_member = {"user_id": 42, "updated_at": "2025-11-05T08:32:00Z", "object_attributes": {"status": "success"}}
    data = event_data("gitlab", {"object_kind": kind, "action": action} | of_the_member | by)
    assert data["eventName"] == f"{kind}.{action}"
    assert data["userIdentity"]["principalId"] == actor
    assert data["eventTime"] == "2025-11-05T08:32:00Z"
