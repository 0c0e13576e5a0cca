"""OneLogin's types of events: numbers, numbers as text, and from some log shippers numbers with a fraction."""

from typing import Any

import pytest
from tests.partners.cases import event_data

DID_NOT_WORK = (31, 49, 61, 65, 69, 77, 79, 85, 86, 105, 116, 118, 123, 129, 141, 146, 154, 400, 401, 517, 527, 532)
DID = (30, 60, 66, 68, 78, 102, 122, 130, 138, 516, 528, 531, 5270)
EVENT = {"uuid": "u-1", "event_timestamp": "2025-11-05 08:30:05 UTC", "actor_user_id": 10}


@pytest.mark.parametrize(
    ("kind", "name", "code"),
    [
        (6, "event_type_id:6", "LoginFailed"),
        ("6", "event_type_id:6", "LoginFailed"),
        (6.0, "event_type_id:6", "LoginFailed"),
        (90, "event_type_id:90", "UnauthorizedAppAccess"),
        ("90", "event_type_id:90", "UnauthorizedAppAccess"),
        (90.0, "event_type_id:90", "UnauthorizedAppAccess"),
        (5, "event_type_id:5", None),
        *((kind, f"event_type_id:{kind}", "Failed") for kind in DID_NOT_WORK),
        *((kind, f"event_type_id:{kind}", None) for kind in DID),
        (16, "event_type_id:16", None),
        (60.0, "event_type_id:60", None),
        ("190", "event_type_id:190", None),
    ],
)
def test_a_type_that_is_a_failure_is_one_however_its_number_is_written(kind: Any, name: str, code: str | None) -> None:
    event = event_data("onelogin", EVENT | {"event_type_id": kind})
    assert (event["eventName"], event.get("errorCode")) == (name, code)


@pytest.mark.parametrize("nobody", [{}, {"actor_user_id": None, "actor_system": "", "actor_user_name": " "}])
@pytest.mark.parametrize(
    ("kinds", "principal"),
    [
        ((5, "6", 6.0, 7, 8, 29, 68, 69, 77, 78, 85, 86, 90, 118, 122, 123, 129, 130, 140, 141, 153, 154), "12"),
        ((3, 4, 11, 13, 17, 19, 24, 50, 60, 72, 172, 190, 553, 1540), "onelogin.com"),
    ],
)
def test_whom_something_is_done_to_is_named_only_where_they_sign_in_or_out(
    kinds: tuple[Any, ...], principal: str, nobody: dict[str, Any]
) -> None:
    for kind in kinds:
        event = {"uuid": "u-1", "event_timestamp": "2025-11-05 08:30:05 UTC", "user_id": 12, "event_type_id": kind}
        assert event_data("onelogin", event | nobody)["userIdentity"]["principalId"] == principal


@pytest.mark.parametrize(
    ("members", "identity"),
    [
        ({"event_type_id": 531, "user_id": 12}, ("ApiClient", "c-1")),
        ({"event_type_id": 122, "user_id": 12}, ("User", "12")),
        ({"event_type_id": 531, "actor_user_id": 10}, ("User", "10")),
        ({"event_type_id": 531, "actor_system": "Mapping"}, ("System", "Mapping")),
        ({"event_type_id": 531, "client_id": None}, ("Service", "onelogin.com")),
    ],
)
def test_the_client_of_the_api_acts_where_nobody_else_is_named(
    members: dict[str, Any], identity: tuple[str, str]
) -> None:
    event = {"uuid": "u-1", "event_timestamp": "2025-11-05 08:30:05 UTC", "client_id": "c-1", **members}
    actor = event_data("onelogin", event)["userIdentity"]
    assert (actor["type"], actor["principalId"]) == identity
