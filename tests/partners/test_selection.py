"""Paths that are followed without JMESPath find what it finds."""

from typing import Any

import jmespath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailhook.selection import path

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
    ],
)
@given(value=VALUES)
def test_a_plain_path_or_a_choice_of_them_finds_what_jmespath_finds(expression: str, value: Any) -> None:
    found = path(expression)(value)
    assert repr(found) == repr(jmespath.search(expression, value))
