"""What CloudTrail tells of channels and event data stores, and whether a store may hold events."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from trailhook.integration.inventory import Channel, EventDataStore

MADE = datetime(2026, 11, 30, 8, 0, 5, 700_000, tzinfo=UTC)
STORE = EventDataStore("arn", "audit", "ENABLED", frozenset(), False, False, 366, "", None, True, MADE)


def channel(ingested: datetime | None) -> Channel:
    return Channel("arn", "github", "GitHub", (), {"LatestIngestionAttemptTime": ingested} if ingested else {})


@pytest.mark.parametrize(
    ("ingested", "may"),
    [
        ([], False),
        ([None, None], False),
        ([MADE - timedelta(seconds=1)], False),
        ([None, MADE - timedelta(seconds=1), MADE], True),
        ([MADE + timedelta(seconds=1)], True),
        # CloudTrail may tell when events came in whole seconds.
        ([MADE.replace(microsecond=0)], True),
    ],
)
def test_a_store_may_hold_what_a_channel_took_since_it_was_made(ingested: list[datetime | None], may: bool) -> None:
    now = MADE + timedelta(minutes=5)
    assert STORE.may_hold_events_of(map(channel, ingested), now) is may


@pytest.mark.parametrize("members", [("SuccessTime", "AttemptTime"), ("AttemptTime", "SuccessTime")])
def test_a_channel_took_events_last_when_somebody_succeeded_or_tried(members: tuple[str, str]) -> None:
    """An attempt may have brought some of its events, and each moment may be the later one, or the only one."""
    told = {f"LatestIngestion{member}": MADE - timedelta(hours=hours) for hours, member in enumerate(members)}
    named = {"ChannelArn": "arn", "Name": "github", "Source": "GitHub"}
    assert Channel.of({**named, "IngestionStatus": told}).ingested == MADE
    first = dict(list(told.items())[:1])
    assert Channel.of({**named, "IngestionStatus": first}).ingested == MADE
    assert Channel.of(named).ingested is None


def test_a_store_collects_what_its_event_categories_say_and_no_other_condition() -> None:
    conditions = {"eventCategory": ["Management"], "readOnly": ["true"]}
    fields = [{"Field": field, "Equals": values} for field, values in conditions.items()]
    told = {"EventDataStoreArn": "arn", "Name": "trail", "Status": "ENABLED"}
    store = EventDataStore.of({**told, "AdvancedEventSelectors": [{"FieldSelectors": fields}]})
    assert store.categories == {"Management"}


def test_a_store_without_an_event_category_is_said_to_collect_nothing() -> None:
    store = EventDataStore.of({"EventDataStoreArn": "arn", "Name": "bare", "Status": "ENABLED"})
    [fault] = store.faults()
    assert fault == "arn collects nothing; it must collect eventCategory ActivityAuditLog and nothing else."


@pytest.mark.parametrize(("hours", "may"), [(1.99, False), (2.01, True)])
def test_a_store_of_some_age_may_hold_what_a_channel_took_that_is_gone(hours: float, may: bool) -> None:
    assert STORE.may_hold_events_of([], MADE + timedelta(hours=hours)) is may


@pytest.mark.parametrize(("ingested", "may"), [(None, False), (MADE - timedelta(days=9), True)])
def test_a_store_that_nobody_knows_the_age_of_may_hold_what_a_channel_ever_took(
    ingested: datetime | None, may: bool
) -> None:
    assert replace(STORE, created=None).may_hold_events_of([channel(ingested)], MADE) is may
