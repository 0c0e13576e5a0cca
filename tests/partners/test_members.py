"""Members of partners' JSON may be absent, null or of another kind than usual; reading one never fails."""

from typing import Any

import pytest

from trailhook.members import id_of, object_at, text_at, value_at


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
        (2.0**53, None),
        (float("inf"), None),
        (float("nan"), None),
        ([], None),
        (["a"], None),
        ({}, None),
    ],
)
def test_text_is_a_string_or_a_whole_number(value: Any, text: str | None) -> None:
    assert text_at({"actor": {"id": value}}, "actor", "id") == text


@pytest.mark.parametrize("value", [0, "0", 0.0, -0.0, "", None, False])
def test_zero_is_the_id_of_nobody(value: Any) -> None:
    assert id_of(value) is None


@pytest.mark.parametrize("value", [1, -1, "00", "0a"])
def test_any_other_number_or_text_is_the_id_of_somebody(value: Any) -> None:
    assert id_of(value) == str(value)


@pytest.mark.parametrize("value", [None, "text", 1, [], [{"actor": {"id": 1}}], {}, {"actor": None}, {"actor": "mira"}])
def test_a_broken_path_leads_to_nothing(value: Any) -> None:
    assert value_at(value, "actor", "id") is None
    assert text_at(value, "actor", "id") is None
    assert object_at(value, "actor") == {}
