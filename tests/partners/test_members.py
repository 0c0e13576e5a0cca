"""Members of partners' JSON may be absent, null or of another kind than usual; reading one never fails."""

from typing import Any

import pytest

from trailhook.members import object_at, text_at, value_at


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", "a"),
        (" a ", " a "),
        (0, "0"),
        (51111, "51111"),
        (51111.0, "51111"),
        (2**70, str(2**70)),
        ("", None),
        ("  ", None),
        (None, None),
        (True, None),
        (False, None),
        (1.5, None),
        (2.0**53 - 1, str(2**53 - 1)),
        (1 - 2.0**53, str(1 - 2**53)),
        (2.0**53, None),
        (-(2.0**53), None),
        (float("inf"), None),
        (float("nan"), None),
        ([], None),
        (["a"], None),
        ({}, None),
    ],
)
def test_text_is_a_string_or_a_whole_number(value: Any, text: str | None) -> None:
    assert text_at({"actor": {"id": value}}, "actor", "id") == text


@pytest.mark.parametrize("value", [None, "text", 1, [], [{"actor": {"id": 1}}], {}, {"actor": None}, {"actor": "mira"}])
def test_a_broken_path_leads_to_nothing(value: Any) -> None:
    assert value_at(value, "actor", "id") is None
    assert text_at(value, "actor", "id") is None
    assert object_at(value, "actor") == {}
