"""The demonstration's own account: what it must notice, so that its law says something."""

from dataclasses import replace
from typing import Any

import pytest

from trailhook_local.demo.corpus import Post, SentEvent
from trailhook_local.demo.counting import Found, Places, account_for, log_lines
from trailhook_local.demo.run import Ledger, Sent

SENT = [
    SentEvent("1", '{"n": 1}', "push"),
    SentEvent("2", '{"n": 2}', "push"),
    SentEvent("3", '{"n": 3}', "star.created"),
    SentEvent(None, '{"cut off'),
]
FOUND = Places(
    lake=[Found(["1"]), Found(["shared id", "2"])],
    bucket=[Found(['{"cut off'], code="NotJson")],
)
EXCLUDED = ["star.*"]


def test_every_event_in_its_place_is_exact() -> None:
    account = account_for(SENT, FOUND, EXCLUDED)
    assert account.exact
    assert (account.delivered, account.quarantined, account.filtered, account.waiting) == (2, {"NotJson": 1}, 1, 0)


def test_an_event_that_came_again_is_counted_as_a_duplicate_and_breaks_nothing() -> None:
    account = account_for(SENT, replace(FOUND, lake=[Found(["1"], times=3), Found(["2"])]), EXCLUDED)
    assert account.exact
    assert (account.delivered, account.duplicates) == (2, 2)


def test_an_event_instead_of_another_is_noticed_though_the_counts_are_right() -> None:
    account = account_for(SENT, replace(FOUND, lake=[Found(["1"]), Found(["forged"])]), EXCLUDED)
    assert account.delivered == 2
    assert (account.missing, account.foreign) == (["2"], ["forged"])
    assert not account.exact


def test_an_event_that_is_nowhere_is_missing_unless_it_was_to_be_filtered() -> None:
    assert account_for(SENT, FOUND).missing == ["3"]
    assert account_for(SENT, replace(FOUND, bucket=[]), EXCLUDED).missing == ['{"cut off']


def test_what_was_to_be_filtered_must_not_be_in_the_lake() -> None:
    account = account_for(SENT, replace(FOUND, lake=[*FOUND.lake, Found(["3"])]), EXCLUDED)
    assert account.foreign == ["3"]


@pytest.mark.parametrize("place", ["lake", "bucket", "queues"])
def test_an_event_that_ended_in_two_ways_is_noticed(place: str) -> None:
    places = replace(FOUND, **{place: [*getattr(FOUND, place), Found(["1"])]})
    assert account_for(SENT, places, EXCLUDED).twice == ["1"]


def test_one_text_that_was_sent_under_two_ids_is_two_events() -> None:
    sent = [SentEvent("1", "{}", "push"), SentEvent("2", "{}", "push")]
    places = Places(bucket=[Found(["1", "{}"], code="MissingTime"), Found(["2", "{}"], code="MissingTime")])
    assert account_for(sent, places).exact
    assert account_for(sent, replace(places, bucket=places.bucket[:1])).missing == ["2"]


def test_what_waits_is_known_by_its_ids() -> None:
    account = account_for(SENT, replace(FOUND, lake=[Found(["1"])], queues=[Found(["2"])]), EXCLUDED)
    assert account.exact
    assert account.waiting == 1


def answered(kind: str, status: int) -> Sent:
    sent = Sent()
    sent.enter(Post("github", "webhook", {}, b"", SENT), 202)
    sent.enter(Post("github", kind, {}, b""), status)
    return sent


LEDGER = Ledger(answered("forged", 401), account_for(SENT, FOUND, EXCLUDED), queued=1, filtered=1, waiting_messages=0)


def test_where_every_event_is_in_its_place_and_every_delivery_was_answered_rightly_the_law_holds() -> None:
    assert (LEDGER.holds, LEDGER.faults) == (True, [])
    assert LEDGER.sent.events == SENT


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"sent": answered("forged", 202), "queued": 2}, "forged delivery was answered 202"),
        ({"sent": answered("stale", 503)}, "stale delivery was answered 503"),
        ({"sent": answered("webhook", 401)}, "webhook delivery was answered 401"),
        ({"account": account_for(SENT, replace(FOUND, bucket=[]), EXCLUDED)}, 'missing: {"cut off'),
        ({"queued": 0}, "queued: 1 were accepted, 0 stand in receive's log"),
        ({"filtered": 0}, "filtered: 1 by their names, 0 in forward's log"),
    ],
)
def test_whatever_contradicts_the_law_breaks_it_and_is_told(changes: dict[str, Any], fault: str) -> None:
    ledger = replace(LEDGER, **changes)
    assert (ledger.holds, ledger.faults) == (False, [fault])


@pytest.mark.parametrize("messages", [0, 1])
def test_what_still_waits_at_the_end_breaks_the_law(messages: int) -> None:
    waits = account_for(SENT, replace(FOUND, lake=[Found(["1"])], queues=[Found(["2"])]), EXCLUDED)
    ledger = replace(LEDGER, account=LEDGER.account if messages else waits, waiting_messages=messages)
    assert (ledger.holds, ledger.to_json()["waiting"]) == (False, 1)


def test_what_two_processes_wrote_into_one_line_of_a_log_is_read_all_the_same() -> None:
    request = '{"message": "request", "status": 202}'
    log = f'START RequestId: 1\n{{"_aws": 1}}{request}\n\n{request}\n{{"message": "request", "cut o'
    assert [line["status"] for line in log_lines(log, "request")] == [202, 202]
