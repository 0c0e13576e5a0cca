"""Paths find what JMESPath finds, also where they are followed without it; what places hold and conditions tell."""

from typing import Any

import jmespath
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.partners.cases import delivery

from trailhook.event_path import path
from trailhook.selection import Subject, condition, place

LEAVES: st.SearchStrategy[Any] = st.sampled_from([None, False, True, 0, 0.0, 1, "", " ", "x", [], [0], {}])
NAMES = st.sampled_from("abc")
VALUES = st.recursive(
    LEAVES, lambda inner: st.dictionaries(NAMES, inner, max_size=3) | st.lists(inner, max_size=3), max_leaves=12
)


@pytest.mark.parametrize(
    "expression",
    [
        *("a", "a.b", "a.b.c", "a || b", "a.b || b", "a || a.b || b.c.a || c"),
        *("a[0]", "a[1].b", "a.b[0][1].c", "a[0] || b", "a[10]", "a[0].b || a[1].b || c[2]"),
        *("a || b | c", "a[].b || c", "a[-1]"),
    ],
)
@given(value=VALUES)
@example(value={"a": False, "b": 1})
@example(value={"a": {"c": 1}, "b": {"c": 2}})
@example(value={"a": [{"b": 1}, {"b": 2}]})
@example(value={"a": [[]]})
@example(value={"a": []})
def test_a_path_finds_what_jmespath_finds(expression: str, value: Any) -> None:
    found = path(expression)(value)
    assert repr(found) == repr(jmespath.search(expression, value))


def held(spec: dict[str, Any], value: Any) -> Any:
    found = place({"at": "a", **spec})(Subject({"a": value}, delivery("custom", b"{}")))
    return found and found.value


@pytest.mark.parametrize("value", [None, "", " ", "\n\t", [], {}])
def test_what_says_nothing_is_held_by_no_place(value: Any) -> None:
    assert held({}, value) is None


@pytest.mark.parametrize("value", [0, 0.0, False, "0", " x ", [None], {"b": None}])
def test_what_says_something_is_held_as_it_is(value: Any) -> None:
    assert repr(held({}, value)) == repr(value)


@pytest.mark.parametrize(
    ("spec", "value", "expected"),
    [
        ({"except": ["-"]}, "-", None),
        ({"except": ["-"]}, "x", "x"),
        ({"except": ["-"]}, "--", "--"),
        ({"except": ["0"]}, 0, None),
        ({"except": ["0"]}, False, False),
        ({"map": {"u": "User"}}, "u", "User"),
        ({"map": {"u": "User"}}, "x", "x"),
        ({"map": {"u": "User"}}, ["u"], ["u"]),
        ({"map": {"u": "User", "*": "Other"}}, "x", "Other"),
        ({"map": {"u": "User", "*": "Other"}}, None, None),
        ({"map": {"1": "One"}}, 1, "One"),
        ({"map": {"1": "One"}}, True, True),
        ({"before": "@"}, "ann@example.com@x", "ann"),
        ({"before": "@"}, "ann", "ann"),
        ({"before": "@"}, "@x", None),
        ({"before": "1"}, 213, 213),
        ({"after": "host="}, "user=ann;host=a;host=b", "a;host=b"),
        ({"after": "host="}, "user=ann", None),
        ({"after": "host="}, "host=", None),
        ({"after": "host="}, 213, None),
        ({"after": "host="}, None, None),
        ({"after": "host=", "before": ";"}, "user=ann;host=a;port=1", "a"),
        ({"after": "host=", "before": ";"}, "user=ann;host=a", "a"),
        ({"after": "host=", "map": {"a": "A"}}, "host=a", "A"),
        ({"after": "host=", "map": {"*": "A"}}, "user=ann", None),
        ({"before": "@", "map": {"ann": "Ann"}}, "ann@x", "Ann"),
        ({"before": "@", "except": ["ann"]}, "ann@x", "ann"),
    ],
)
def test_a_value_changes_as_its_place_says_and_not_otherwise(spec: dict[str, Any], value: Any, expected: Any) -> None:
    assert repr(held(spec, value)) == repr(expected)


@pytest.mark.parametrize(
    ("test", "passing", "failing"),
    [
        ({}, [0, False, "x"], [None, "", [], {}]),
        ({"present": False}, [None, "", [], {}], [0, False, "x"]),
        ({"in": ["a", 1]}, ["a", 1, 1.0], ["A", "1", True, 2, ["a"], None]),
        ({"in": [True]}, [True], [1, "true", "True", None]),
        ({"not_in": ["a", 1]}, ["A", "1", True, 2, ["a"]], ["a", 1, 1.0, None]),
        ({"matches": "b.d"}, ["bad", "a bad one"], ["BAD", "bd", ["bad"], None]),
        ({"matches": "^4"}, [404, 4.0, "4"], [504, True, None]),
        ({"at_least": 400}, [400, 400.0, 10**30, "400", "1e3"], [399, 399.9, "399", "x", 10**400, [400], None]),
        ({"at_least": 1}, [1], [0, True, False]),
    ],
)
def test_a_condition_passes_these_values_and_no_others(
    test: dict[str, Any], passing: list[Any], failing: list[Any]
) -> None:
    told = condition({"at": "a", **test})
    for expected, values in ((True, passing), (False, failing)):
        for value in values:
            assert told.holds(Subject({"a": value}, delivery("custom", b"{}"))) is expected, value


def test_a_place_under_conditions_holds_something_where_all_of_them_hold() -> None:
    spec = {"when": [{"at": "b", "in": [1]}, {"at": "c"}]}
    for event, expected in (
        ({"a": "x", "b": 1, "c": 0}, "x"),
        ({"a": "x", "b": 2, "c": 0}, None),
        ({"a": "x", "b": 1}, None),
        ({"a": "", "b": 1, "c": 0}, None),
    ):
        found = place({"at": "a", **spec})(Subject(event, delivery("custom", b"{}")))
        assert (found and found.value) == expected
