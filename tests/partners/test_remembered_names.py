"""Names that tell nothing are remembered, so that most events cost one comparison. It changes nothing else."""

import tracemalloc

import pytest
from tests.partners.cases import compact, delivery
from tests.partners.redacting import X, redact

from trailhook import secret_names as names
from trailhook.delivery import Delivery
from trailhook.mapping import Mapper
from trailhook.partner import Options
from trailhook.partners import Partners
from trailhook.redaction import forget_names


def mapped(sent: Delivery) -> None:
    """Map a delivery's events as forward does."""
    mapper = Mapper(Partners(Options()))
    _, events = mapper.take_apart(sent)
    for event in events:
        mapper.map(event)


def test_names_that_were_seen_before_change_nothing() -> None:
    for start in range(0, 10_000, 100):
        harmless = {f"member_{number}": X for number in range(start, start + 100)}
        assert redact(harmless) == (harmless, [])
        assert redact({**harmless, "name": "plan", "value": "kept"})[1] == []
        assert redact({**harmless, "inner": [{"name": "api_token", "value": X}]})[1] == [
            "requestParameters.inner.0.value"
        ]
        assert redact({**harmless, "apiToken": X})[1] == ["requestParameters.apiToken"]
        forget_names()


def test_a_label_that_was_walked_past_before_is_read_again() -> None:
    assert redact({"apiToken": X, "name": "plan", "value": "kept"})[1] == ["requestParameters.apiToken"]
    assert redact({"name": "api_token", "value": X})[1] == ["requestParameters.value"]


def test_a_name_that_was_walked_past_before_is_no_reason_to_keep_what_stands_below_a_secret() -> None:
    assert redact({"apiToken": X, "inner": "kept"})[1] == ["requestParameters.apiToken"]
    assert redact({"secrets": {"inner": X}})[1] == ["requestParameters.secrets.inner"]
    assert redact({"apiToken": X, "value": "kept"})[1] == ["requestParameters.apiToken"]
    assert redact({"token": {"value": X}})[1] == ["requestParameters.token.value"]
    assert redact({"items": [{"name": "api_token", "value": X}]})[1] == ["requestParameters.items.0.value"]


@pytest.mark.parametrize("secret", [{}, {"token": X}], ids=["none", "one"])
def test_a_name_is_judged_once_in_however_many_places_it_is_shown(secret: dict[str, str]) -> None:
    """A sender may write a million of them, and to judge each for every place could take more than a minute."""
    many = secret | {f"k{number}": number for number in range(10_000)}
    thrice = compact({"action": "a", "sender": {"id": 1, "login": many}}).encode()
    names._judged.cache_clear()
    mapped(delivery("github", thrice, {"X-GitHub-Event": "push"}))
    assert 10_000 <= names._judged.cache_info().misses < 10_100


def test_the_names_of_an_event_are_let_go_with_it() -> None:
    def of(number: int) -> Delivery:
        return delivery("custom", compact({"type": "a", **{f"{number}-{name}": 1 for name in range(20_000)}}).encode())

    mapped(of(0))
    tracemalloc.start()
    try:
        for number in range(1, 6):
            mapped(of(number))
        room, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert room < 1_000_000


def test_long_names_are_not_remembered() -> None:
    tracemalloc.start()
    try:
        for number in range(100):
            name = f"{number}{'n' * 100_000}"
            redact({name: X, "permissions": {name: "read"}, "token": {name: X, "inner": {name: X}}})
        room, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert room < 1_000_000
