"""Every form of time that partners are known to write means one moment in UTC; anything else is refused."""

import contextlib
import time
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailhook.errors import UnmappableEvent
from trailhook.timestamps import from_milliseconds, parse_formatted_time, parse_time, to_text

MOMENT = datetime(2025, 11, 5, 8, 30, 0, tzinfo=UTC)
AFTER_1976 = st.datetimes(datetime(1977, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@pytest.mark.parametrize(
    "value",
    [
        1762331400,
        1762331400.999,
        1762331400123,
        1762331400123.0,
        "1762331400",
        "1762331400123",
        "1762331400.123456789",
        "1762331400.999999999",
        "1762331400123.999999999",
        1762331400123456,
        "1762331400123456",
        1762331400123456789,
        "1762331400123456789",
        "1762331400999999999",
        " 1762331400 ",
        "/Date(1762331400123)/",
        "2025-11-05T08:30:00Z",
        "2025-11-05t08:30:00z",
        "2025-11-05T08:30:00.123Z",
        "2025-11-05T08:30:00,123Z",
        "2025-11-05T08:30:00.123456789Z",
        "2025-11-05T08:30:00.123456789012Z",
        "2025-11-05T08:30:00+00:00",
        "2025-11-05T09:30:00+01:00",
        "2025-11-05T09:30:00.000+0100",
        "2025-11-05 09:30:00+01",
        "2025-11-05T03:00:00-05:30",
        "2025-11-05 08:30:00 UTC",
        "2025-11-05 08:30:00 GMT",
        "2025-11-05 08:30:00 +0000",
        "2025-11-05 08:30:00",
        "2025-11-05 08:30:00.5",
    ],
)
def test_one_moment_in_every_form(value: Any) -> None:
    assert parse_time(value, "time") == MOMENT


def test_an_offset_may_cross_midnight_and_the_year() -> None:
    assert parse_time("2026-01-01T00:30:00+02:00", "time") == datetime(2025, 12, 31, 22, 30, tzinfo=UTC)


@pytest.mark.parametrize("value", [99_999_999_999, "99999999999"])
def test_the_last_number_of_seconds(value: Any) -> None:
    assert parse_time(value, "time").year == 5138


@pytest.mark.parametrize("value", [100_000_000_000, "100000000000"])
def test_the_first_number_of_milliseconds(value: Any) -> None:
    assert parse_time(value, "time") == datetime(1973, 3, 3, 9, 46, 40, tzinfo=UTC)


@pytest.mark.parametrize(
    ("last", "next_finer"),
    [(10**14 - 1, 10**14), (10**17 - 1, 10**18)],
    ids=["milliseconds and microseconds", "microseconds and nanoseconds"],
)
def test_the_last_number_of_a_unit_and_the_first_of_the_next(last: int, next_finer: int) -> None:
    assert parse_time(last, "time").year == 5138
    assert parse_time(next_finer, "time").year in {1973, 2001}


def test_the_first_second_after_the_one_that_says_nothing() -> None:
    for written in (1, "1", "1970-01-01T00:00:01Z"):
        assert parse_time(written, "time") == datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)


def test_a_time_without_a_zone_is_of_utc_wherever_the_machine_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    try:
        for written in ("2025-11-05 08:30:00", "2025-11-05T08:30:00Z", 1762331400):
            assert to_text(parse_time(written, "time")) == "2025-11-05T08:30:00Z"
        assert parse_formatted_time("05.11.2025 08:30", "%d.%m.%Y %H:%M", "time") == MOMENT
        assert from_milliseconds(1762331400123) == MOMENT
    finally:
        monkeypatch.undo()
        time.tzset()


def test_no_time_is_told_from_a_bad_one() -> None:
    with pytest.raises(UnmappableEvent, match="MissingTime: The event has no published"):
        parse_time(None, "published")


@pytest.mark.parametrize(
    "value",
    [
        "",
        "redacted",
        "2025-11-05",
        "2025-13-05T08:30:00Z",
        "2025-02-30T08:30:00Z",
        "2025-11-05T24:30:00Z",
        "2025-11-05T08:30:60Z",
        "2025-11-05T08:30:00 EST",
        "2025-11-05T08:30:00+25:00",
        "2025-11-05T08:30:00+05:60",
        "2025-11-05T08:30:00-0099",
        "2024-12-17 00:00:00000000",
        "\u0662\u0660\u0662\u0665-11-05T08:30:00Z",
        "\u0661\u0667\u0666\u0662\u0663\u0663\u0661\u0664\u0660\u0660",
        "0001-01-01T00:00:00Z",
        "1970-01-01T00:00:00Z",
        "9999-12-31T23:59:59-01:00",
        "/Date(1762331400)/",  # of January 1970, and not seconds
        "/Date(1762331400123456)/",
        "/Date(1762331400123)/ 1",
        "/Date(\u0661\u0667\u0666\u0662\u0663\u0663\u0661\u0664\u0660\u0660\u0661\u0662\u0663)/",
        "1e9",
        "-1762331400",
        0,
        -1,
        0.5,
        10**17,
        10**18 - 1,
        134067990000000000,  # of Windows, in tenths of microseconds since 1601
        "20251105",
        "20251105083000",
        20251105083000,
        202511050830,
        19991231235959,
        19000101000000,  # of the year 2572, as a count
        209912312359,  # of the year 1976
        "20251105083000123",
        "99999999999999999999",
        10**27,
        10**30,
        float("inf"),
        float("nan"),
        True,
        [],
        {},
    ],
)
def test_anything_else_is_refused(value: Any) -> None:
    with pytest.raises(UnmappableEvent, match="BadTime"):
        parse_time(value, "time")


@given(AFTER_1976, st.integers(-14 * 60, 14 * 60))
def test_every_form_of_a_moment_says_the_same(moment: datetime, offset: int) -> None:
    whole = moment.replace(microsecond=0)
    milliseconds = int(whole.timestamp()) * 1000 + moment.microsecond // 1000
    local = moment.astimezone(timezone(timedelta(minutes=offset)))
    forms = [milliseconds, str(milliseconds), local.isoformat(), local.strftime("%Y-%m-%d %H:%M:%S %z")]
    assert {parse_time(form, "time") for form in forms} == {whole}
    assert from_milliseconds(milliseconds) == whole


@given(st.one_of(st.text(), st.integers(), st.floats(), st.booleans(), st.none()))
def test_a_time_is_always_after_1970_or_refused(value: Any) -> None:
    with contextlib.suppress(UnmappableEvent):
        moment = parse_time(value, "time")
        assert moment.tzinfo is UTC
        assert moment > datetime(1970, 1, 1, tzinfo=UTC)
