"""What forward says of an invocation: the log line, by the names that operators search, and the metrics."""

import json
from collections import Counter

import pytest

from trailhook.destination import DELIVERED, Disposition, Outcome
from trailhook.ledger import Ledger
from trailhook.telemetry import report_ledger

REFUSED = Outcome(Disposition.CONFIGURATION, "AccessDenied", "not authorized to perform: PutAuditEvents")


def ledger(*outcomes: Outcome) -> Ledger:
    account = Ledger(messages=Counter(finished=3, parked=1, unreadable=2))
    for outcome in outcomes:
        account.enter(outcome, 2)
    return account


def reported(
    account: Ledger, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> tuple[str, dict[str, object], dict[str, object]]:
    """The line's level and members, and the metrics."""
    caplog.clear()
    capsys.readouterr()
    with caplog.at_level("INFO"):
        report_ledger("okta", account)
    [record] = [record for record in caplog.records if record.message == "ledger"]
    names = ("events", "reasons", "words", "messages", "faults")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    [metrics] = [line for line in lines if "_aws" in line]
    emitted = [metric["Name"] for metric in metrics["_aws"]["CloudWatchMetrics"][0]["Metrics"]]
    return record.levelname, {name: vars(record)[name] for name in names}, {name: metrics[name] for name in emitted}


def test_an_invocations_line_and_metrics_say_what_became_of_each_event_and_message(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    account = ledger(DELIVERED, Outcome(Disposition.FILTERED, "ExcludeEvents"), REFUSED)
    account.faults.append("SQS did not confirm the message")
    level, line, metrics = reported(account, caplog, capsys)
    assert level == "ERROR"
    assert line == {
        "events": {"delivered": 2, "filtered": 2, "waiting": 2},
        "reasons": {"filtered:ExcludeEvents": 2, "configuration:AccessDenied": 2},
        "words": {"configuration:AccessDenied": "not authorized to perform: PutAuditEvents"},
        "messages": {"finished": 3, "parked": 1, "unreadable": 2},
        "faults": ["SQS did not confirm the message"],
    }
    assert metrics == {
        "EventsDelivered": [2],
        "EventsFiltered": [2],
        "EventsWaiting": [2],
        "ConfigurationFaults": [2],
        "MessagesParked": [1],
        "MessagesUnreadable": [2],
    }


@pytest.mark.parametrize(
    ("outcome", "faults", "level"),
    [(DELIVERED, [], "INFO"), (REFUSED, [], "ERROR"), (DELIVERED, ["S3 did not confirm"], "ERROR")],
)
def test_the_line_is_an_error_where_somebody_has_to_look(
    outcome: Outcome,
    faults: list[str],
    level: str,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    account = ledger(outcome)
    account.faults += faults
    assert reported(account, caplog, capsys)[0] == level


def test_however_many_faults_and_words_there_are_the_line_stays_short() -> None:
    account = ledger(Outcome(Disposition.RETRY, "Throttling", "x" * 1_000))
    account.faults += [f"fault {number}" for number in range(25)]
    line = account.to_log()
    assert line["faults"] == [f"fault {number}" for number in range(20)]
    assert line["words"] == {"retry:Throttling": "x" * 300}
