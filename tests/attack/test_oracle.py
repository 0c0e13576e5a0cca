"""No oracle: how far a guess is right changes neither what the code does, nor what it answers.

Measuring time tells more of the machine than of the code. The calls that a request causes are exact: two guesses that
are wrong at different places must cause the same ones, from the first to the last.
"""

import gc
import sys
from collections.abc import Mapping
from types import FrameType
from typing import Any

from tests.contract.test_contract_table import BODY, SECRET, Row, every_row
from tests.contract.test_registry import receiver
from tests.receive.senders import api_gateway_event


def calls(row: Row, headers: Mapping[str, str]) -> tuple[list[str], str]:
    """Every call that one refused request causes, in order, and its answer."""
    receive, _ = receiver(row.partner, SECRET)
    event = api_gateway_event(BODY, headers, path=row.path)
    receive.answer(event)  # what is made once only is made
    traced: list[str] = []

    def note(frame: FrameType, kind: str, called: Any) -> None:
        if kind == "call":
            traced.append(frame.f_code.co_qualname)
        elif kind == "c_call":
            traced.append(getattr(called, "__qualname__", repr(called)))

    # A collection would call what others left behind, and whoever wants to hear of it.
    gc.disable()
    sys.setprofile(note)
    try:
        answer = receive.answer(event).response
    finally:
        sys.setprofile(None)
        gc.enable()
    assert answer.status == 401
    return traced, answer.body


def altered(value: str, position: int) -> str:
    return value[:position] + ("0" if value[position] != "0" else "1") + value[position + 1 :]


@every_row
def test_a_guess_learns_nothing_from_how_right_it_is(row: Row) -> None:
    value = row.genuine()[row.header]
    start = len(value) - 20
    guesses = [altered(value, position) for position in (start, start + 10, len(value) - 2)]
    first, *others = [calls(row, row.with_value(guess)) for guess in guesses]
    assert "compare_digest" in " ".join(first[0])
    assert all(other == first for other in others)
