"""Slack: who acted, where its events name several people, an app, a bot, or Slack itself."""

from collections.abc import Mapping
from typing import Any

import pytest
from tests.partners.cases import event_data

ENTRY = {"id": "a-1", "date_create": 1_762_331_405, "action": "user_login"}
"""An entry of the audit logs."""


def callback(event: Mapping[str, Any]) -> dict[str, Any]:
    """The Events API's body with this event."""
    return {"event_id": "Ev1", "event_time": 1_762_331_405, "event": event}


def test_whose_content_administrators_took_away_in_slack_is_nobody() -> None:
    message = {"type": "message", "subtype": "ekm_access_denied", "user": "UREVOKEDU"}
    assert event_data("slack", callback(message))["userIdentity"] == {"type": "Service", "principalId": "slack.com"}


EDITED = {"user": "U2002", "ts": "1762331405.000000"}


@pytest.mark.parametrize(
    ("message", "previous", "actor"),
    [
        ({"user": "U2001", "edited": EDITED}, {"user": "U2001"}, ("User", "U2002")),
        ({"user": "U2001", "edited": EDITED}, {"edited": EDITED | {"ts": "1762331400.000000"}}, ("User", "U2002")),
        ({"user": "U2001", "edited": EDITED}, None, ("User", "U2002")),
        ({"bot_id": "B01", "edited": EDITED | {"user": "B01"}}, {"bot_id": "B01"}, ("Bot", "B01")),
        ({"user": "USLACKBOT", "edited": EDITED | {"user": "USLACKBOT"}}, None, ("Bot", "USLACKBOT")),
        # A preview of a link that came later, and a thread that has got an answer.
        ({"user": "U2001", "edited": EDITED}, {"user": "U2001", "edited": EDITED}, ("Service", "slack.com")),
        ({"user": "U2001", "edited": {}}, {"user": "U2001", "edited": {}}, ("Service", "slack.com")),
        ({"user": "U2001"}, {"user": "U2001"}, ("Service", "slack.com")),
    ],
)
def test_who_changed_a_message_in_slack_is_who_edited_it_last(
    message: Mapping[str, Any], previous: Mapping[str, Any] | None, actor: tuple[str, str]
) -> None:
    event = {"type": "message", "subtype": "message_changed", "message": message, "previous_message": previous}
    identity = event_data("slack", callback(event))["userIdentity"]
    assert (identity["type"], identity["principalId"]) == actor


def test_slackbot_is_a_bot() -> None:
    message = {"type": "message", "user": "USLACKBOT"}
    data = event_data("slack", callback(message))
    assert data["userIdentity"] == {"type": "Bot", "principalId": "USLACKBOT"}


@pytest.mark.parametrize("members", [{"bot_id": "B1", "bot_profile": {"id": "B1"}}, {"bot_id": "B1"}])
@pytest.mark.parametrize("kind", ["message", "app_mention"])
def test_the_author_of_what_an_app_of_slacks_sent_has_its_bot_beside_it(kind: str, members: Mapping[str, Any]) -> None:
    """The app's own user, or the member in whose name it sent it."""
    event = {"type": kind, "user": "U2001"}
    identity = event_data("slack", callback({**event, **members}))["userIdentity"]
    assert identity == {"type": "User", "principalId": "U2001", "details": {"bot_id": "B1"}}
    without_a_bot = event_data("slack", callback({**event, "bot_id": ""}))["userIdentity"]
    assert without_a_bot == {"type": "User", "principalId": "U2001"}


@pytest.mark.parametrize(
    ("action", "inviter", "actor"),
    [
        ("user_channel_join", {"type": "user", "user": {"id": "W2001", "name": "Mira Holt"}}, ("User", "W2001")),
        ("guest_channel_join", {"id": "W2001", "name": "Mira Holt"}, ("User", "W2001")),
        ("user_channel_join", {"user": {"id": "W3", "email": "botuser-T1-A1@slack-bots.com"}}, ("Bot", "W3")),
        ("user_channel_join", {"user": {"id": None, "email": "mira@example.com"}}, ("User", "mira@example.com")),
        ("user_channel_join", None, ("User", "W2002")),
        ("external_shared_channel_invite_accepted", {"id": "W2001"}, ("User", "W2002")),
    ],
)
def test_who_was_invited_to_a_channel_of_slacks_did_not_join_by_themselves(
    action: str, inviter: Any, actor: tuple[str, str]
) -> None:
    joined = {"type": "user", "user": {"id": "W2002", "name": "Jonas Weir", "email": "jonas@example.com"}}
    body = ENTRY | {"action": action, "actor": joined, "details": {"inviter": inviter}}
    identity = event_data("slack", body)["userIdentity"]
    assert (identity["type"], identity["principalId"]) == actor


@pytest.mark.parametrize(
    ("user", "actor"),
    [
        ({"id": "USLACKUSER", "name": "Slack", "email": "nobody@example.com"}, ("Service", "slack.com")),
        ({"id": "USLACKSECURITY", "name": "Slack Security"}, ("Service", "USLACKSECURITY")),
        ({"id": "W2003", "name": "Lamp bot", "email": "botuser-T1-A1@slack-bots.com"}, ("Bot", "W2003")),
        ({"id": "W2001", "name": "botuser-T1", "email": "botuser-T1@example.com"}, ("User", "W2001")),
    ],
)
def test_who_is_no_member_of_slack_is_no_user(user: Mapping[str, Any], actor: tuple[str, str]) -> None:
    identity = event_data("slack", ENTRY | {"actor": {"type": "user", "user": user}})["userIdentity"]
    assert (identity["type"], identity["principalId"]) == actor


INVITE = {"id": "I1", "inviting_user": {"id": "U2002"}, "recipient_user_id": "U2003"}


@pytest.mark.parametrize(
    ("event", "members", "actor"),
    [
        ("channel_created", {"channel": {"id": "C1", "creator": "U2001"}}, "U2001"),
        ("channel_rename", {"channel": {"id": "C1", "creator": "U2001"}}, None),
        ("channel_left", {"channel": "C1", "actor_id": "U2001"}, "U2001"),
        ("subteam_created", {"subteam": {"id": "S1", "created_by": "U2001", "updated_by": "U2001"}}, "U2001"),
        ("subteam_updated", {"subteam": {"id": "S1", "created_by": "U2002", "updated_by": "U2001"}}, "U2001"),
        ("subteam_updated", {"subteam": {"id": "S1", "created_by": "U2002"}}, None),
        ("shared_channel_invite_received", {"invite": INVITE}, "U2002"),
        ("shared_channel_invite_accepted", {"invite": INVITE, "accepting_user": {"id": "U2001"}}, "U2001"),
        ("shared_channel_invite_approved", {"invite": INVITE, "approving_user": {"id": "U2001"}}, "U2001"),
        ("shared_channel_invite_declined", {"invite": INVITE, "declining_user": {"id": "U2001"}}, "U2001"),
        ("shared_channel_invite_declined", {"invite": INVITE}, None),
        (
            "shared_channel_invite_requested",
            {"actor": {"id": "U2001"}, "target_users": [{"email": "j@x.test"}]},
            "U2001",
        ),
        ("app_requested", {"app_request": {"id": "Ar1", "user": {"id": "U2001"}}}, "U2001"),
        ("assistant_thread_started", {"assistant_thread": {"user_id": "U2001", "channel_id": "D1"}}, "U2001"),
        ("invite_requested", {"invite_request": {"id": "1", "requester_ids": ["U2001"]}}, "U2001"),
        ("invite_requested", {"invite_request": {"id": "1", "requester_ids": ["U2001", "U2002"]}}, None),
    ],
)
def test_who_did_it_in_slack_has_a_name_of_its_own_in_some_events(
    event: str, members: Mapping[str, Any], actor: str | None
) -> None:
    body = callback({"type": event, **members})
    nobody = {"type": "Service", "principalId": "slack.com"}
    expected = {"type": "User", "principalId": actor} if actor else nobody
    assert event_data("slack", body)["userIdentity"] == expected
