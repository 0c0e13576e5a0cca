"""What rings, on exactly the metrics that the code emits, and what an alarm takes from there being no data at all."""

import itertools
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from trailhook.destination import Disposition, Outcome
from trailhook.gateway import Response
from trailhook.hand_back import wait_seconds
from trailhook.ledger import Ledger
from trailhook.portions import Message
from trailhook.receive import LoggedResponse
from trailhook.telemetry import NAMESPACE, report_ledger, report_request
from trailhook_local.stack.template import Template

TOPIC = "arn:aws:sns:eu-central-1:111122223333:alarms"
OURS = {"Partner": "okta", "service": "trailhook-okta"}
GATEWAY = {"ApiId": "abcde12345"}
EXPECTED: Mapping[str, list[tuple[str, str, Mapping[str, str]]]] = {
    "DeadLettersAlarm": [("AWS/SQS", "ApproximateNumberOfMessagesVisible", {"QueueName": "dead-letters"})],
    "OldestMessageAlarm": [("AWS/SQS", "ApproximateAgeOfOldestMessage", {"QueueName": "delivery"})],
    "EventsWaitingAlarm": [(NAMESPACE, "EventsWaiting", OURS)],
    "ForwardErrorsAlarm": [("AWS/Lambda", "Errors", {"FunctionName": "forward"})],
    "GatewayErrorsAlarm": [("AWS/ApiGateway", "5xx", GATEWAY)],
    "GatewayRefusalsAlarm": [(NAMESPACE, "GatewayRefusals", OURS)],
    "QuarantineAlarm": [(NAMESPACE, "EventsQuarantined", OURS)],
    "TooLargeAlarm": [(NAMESPACE, "DeliveriesTooLarge", OURS)],
    "UnsupportedAlarm": [(NAMESPACE, "DeliveriesUnsupported", OURS)],
    "UnauthenticatedAlarm": [(NAMESPACE, "DeliveriesUnauthenticated", OURS), (NAMESPACE, "DeliveriesQueued", OURS)],
    "ConfigurationAlarm": [(NAMESPACE, "ConfigurationFaults", OURS)],
    "UnreadableMessagesAlarm": [(NAMESPACE, "MessagesUnreadable", OURS), (NAMESPACE, "MessagesParked", OURS)],
    "SilenceAlarm": [(NAMESPACE, "DeliveriesQueued", OURS)],
}


@pytest.fixture(scope="module")
def template(deploy: Callable[..., Template]) -> Template:
    return deploy(SilenceHours="72", AlarmEmail="audit@example.com")


def alarms(template: Template) -> dict[str, dict[str, Any]]:
    found = template.resources_of_type("AWS::CloudWatch::Alarm")
    return {name: template.resolve(properties) for name, properties in found.items()}


def queries_of(alarm: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What an alarm on several metrics asks of each."""
    return [query for query in alarm.get("Metrics", []) if "MetricStat" in query]


def metrics(alarm: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if "MetricName" in alarm:
        yield alarm
    for query in queries_of(alarm):
        yield query["MetricStat"]["Metric"]


def dimensions(metric: Mapping[str, Any]) -> dict[str, str]:
    return {dimension["Name"]: dimension["Value"] for dimension in metric["Dimensions"]}


@pytest.fixture
def emitted(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, str]]:
    """Metric -> dimensions, as the functions of the stack `trailhook-okta` really write them to their log."""
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "trailhook-okta")
    monkeypatch.delenv("POWERTOOLS_METRICS_NAMESPACE", raising=False)
    refusals = (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNSUPPORTED_MEDIA_TYPE, HTTPStatus.UNAUTHORIZED)
    for status in (HTTPStatus.ACCEPTED, *refusals):
        log = {"status": status, "partner": "okta", "queued": status is HTTPStatus.ACCEPTED}
        report_request(LoggedResponse(Response(status), log))
    ledger = Ledger(messages=Counter(parked=1, unreadable=1))
    for disposition in (Disposition.QUARANTINE, Disposition.CONFIGURATION, Disposition.DELIVERED, Disposition.RETRY):
        ledger.enter(Outcome(disposition, "Code", "reason"))
    report_ledger("okta", ledger)
    found: dict[str, dict[str, str]] = {}
    for line in capsys.readouterr().out.splitlines():
        record = json.loads(line)
        for directive in record.get("_aws", {}).get("CloudWatchMetrics", []):
            assert directive["Namespace"] == NAMESPACE
            (names,) = directive["Dimensions"]
            for metric in directive["Metrics"]:
                found[metric["Name"]] = {name: record[name] for name in names}
    return found


def test_every_alarm_watches_what_it_is_for(template: Template) -> None:
    watched = {
        name: [(metric["Namespace"], metric["MetricName"], dimensions(metric)) for metric in metrics(alarm)]
        for name, alarm in alarms(template).items()
    }
    assert watched == EXPECTED


def test_an_alarm_on_our_own_metric_has_the_dimensions_that_are_emitted(
    template: Template, emitted: Mapping[str, Mapping[str, str]]
) -> None:
    watched = [m for alarm in alarms(template).values() for m in metrics(alarm) if m["Namespace"] == NAMESPACE]
    ours = {m["MetricName"]: dimensions(m) for m in watched}
    assert ours.pop("GatewayRefusals") == OURS
    assert ours == {name: emitted[name] for name in ours}


def test_an_alarm_on_two_metrics_rings_on_the_larger_alone(template: Template) -> None:
    queries = alarms(template)["UnreadableMessagesAlarm"]["Metrics"]
    (rings,) = [query for query in queries if query.get("ReturnData", True)]
    assert rings["Expression"] == "MAX([FILL(messagesUnreadable, 0), FILL(messagesParked, 0)])"
    assert {query["Id"] for query in queries} == {"either", "messagesUnreadable", "messagesParked"}


STATISTICS: Mapping[str, Callable[[Sequence[float]], float]] = {"Sum": sum, "Maximum": max}
TOLD_BY_WHAT_IS_QUEUED = {"UnauthenticatedAlarm", "SilenceAlarm"}
"""What is queued keeps these from ringing, also where a stranger says so; docs/guarantees.md tells."""


def test_no_number_that_somebody_else_puts_keeps_an_alarm_from_ringing(template: Template) -> None:
    ours = {
        name: alarm
        for name, alarm in alarms(template).items()
        if name not in TOLD_BY_WHAT_IS_QUEUED and all(metric["Namespace"] == NAMESPACE for metric in metrics(alarm))
    }
    assert len(ours) == 7
    for name, alarm in ours.items():
        for stat in [query["MetricStat"]["Stat"] for query in queries_of(alarm)] or [alarm["Statistic"]]:
            # Genuine, and the least that PutMetricData takes.
            assert STATISTICS[stat]([1, -(2.0**360)]) >= alarm["Threshold"], name


def test_what_the_gateway_refuses_is_counted_from_its_own_log(template: Template, resources: Mapping[str, Any]) -> None:
    counting = template.resolve(resources["GatewayRefusals"]["Properties"])
    (metric,) = counting["MetricTransformations"]
    fields = json.loads(template.resolve(resources["HttpApi"]["Properties"]["AccessLogSettings"]["Format"]))
    assert counting["LogGroupName"] == "access"
    assert (metric["MetricNamespace"], metric["MetricName"]) == (NAMESPACE, "GatewayRefusals")
    assert {d["Key"]: fields[d["Value"].removeprefix("$.")] for d in metric["Dimensions"]} == OURS
    assert {"status", "integrationStatus"} <= set(fields)


def test_a_line_of_the_access_log_holds_nothing_that_an_unproven_sender_writes(
    template: Template, resources: Mapping[str, Any]
) -> None:
    """Paths and user agents of 10 kB would be paid for by the line, and may hold secrets or another line's members. A
    method is the one exception: HTTP allows no quotation mark in it, and without it a line says little.
    """
    line = template.resolve(resources["HttpApi"]["Properties"]["AccessLogSettings"]["Format"])
    assert set(re.findall(r"\$context\.([\w.]+)", line)) == {
        *("requestId", "requestTimeEpoch", "httpMethod", "status", "identity.sourceIp", "responseLength"),
        *("responseLatency", "error.message", "integrationStatus", "integrationErrorMessage"),
    }


COMPARISON = re.compile(r'\$\.(?P<member>\w+) (?P<operator>!?=) "(?P<text>[^"]*)"')


def counts(pattern: str, line: Mapping[str, str]) -> bool:
    """Whether a metric filter of comparisons, with && within ||, takes a line of the access log."""
    return any(
        all((line[member] == text) is (operator == "=") for member, operator, text in COMPARISON.findall(either))
        for either in pattern.split("||")
    )


@pytest.mark.parametrize(
    ("status", "integration_status", "refused"),
    [
        pytest.param("429", "-", True, id="throttled"),
        pytest.param("413", "-", True, id="above API Gateway's 10 MB"),
        pytest.param("413", "413", True, id="above Lambda's 6 MB, which receive never sees"),
        pytest.param("413", "200", False, id="receive's own, counted by receive"),
        pytest.param("401", "200", False, id="not proven"),
        pytest.param("202", "200", False, id="queued"),
    ],
)
def test_a_delivery_that_receive_never_saw_is_counted(
    resources: Mapping[str, Any], status: str, integration_status: str, refused: bool
) -> None:
    pattern = resources["GatewayRefusals"]["Properties"]["FilterPattern"]
    assert counts(pattern, {"status": status, "integrationStatus": integration_status}) is refused


def test_every_alarm_rings_at_the_topic_and_says_where_to_read_on(template: Template) -> None:
    for name, alarm in alarms(template).items():
        assert alarm["AlarmActions"] == [TOPIC], name
        assert alarm["AlarmName"].startswith("trailhook-okta-"), "the topic's policy goes by it"
        assert "docs/operations.md" in alarm["AlarmDescription"]


def test_only_silence_rings_when_there_is_no_data(template: Template) -> None:
    missing = {name: alarm["TreatMissingData"] for name, alarm in alarms(template).items()}
    assert missing.pop("SilenceAlarm") == "breaching"
    assert set(missing.values()) == {"notBreaching"}


def test_silence_is_as_long_as_the_operator_says(deploy: Callable[..., Template], template: Template) -> None:
    alarm = alarms(template)["SilenceAlarm"]
    assert (alarm["EvaluationPeriods"], alarm["Period"], alarm["Threshold"]) == ("72", 3600, 1)
    assert alarm["ComparisonOperator"] == "LessThanThreshold"
    assert "SilenceAlarm" not in alarms(deploy())


def test_silence_is_within_the_seven_days_that_cloudwatch_looks_back(document: Mapping[str, Any]) -> None:
    assert document["Parameters"]["SilenceHours"]["MaxValue"] == 7 * 24


def test_a_configuration_fault_keeps_ringing_between_two_tries_that_are_an_hour_apart(template: Template) -> None:
    alarm = alarms(template)["ConfigurationAlarm"]
    assert alarm["EvaluationPeriods"] * alarm["Period"] >= 3600 + 60
    assert alarm["DatapointsToAlarm"] == 1


def test_what_nobody_comes_to_is_told_within_the_first_hour(template: Template) -> None:
    alarm = alarms(template)["OldestMessageAlarm"]
    assert alarm["Threshold"] + alarm["EvaluationPeriods"] * alarm["Period"] <= 3600
    assert alarm["Statistic"] == "Maximum"


def tries(pauses: Iterator[float], until: float) -> list[float]:
    """When something is tried that is tried again after these pauses, in seconds."""
    moments, moment = [], 0.0
    while moment <= until:
        moments.append(moment)
        moment += next(pauses)
    return moments


def rings(alarm: Mapping[str, Any], moments: Sequence[float], since: float, until: float) -> list[bool]:
    """Whether it rings at the end of each period in that time, if at these moments there is a datapoint of 1."""
    period = alarm["Period"]
    breaching = {int(moment // period) for moment in moments}
    needed = alarm.get("DatapointsToAlarm", alarm["EvaluationPeriods"])
    return [
        len(breaching & set(range(last - alarm["EvaluationPeriods"] + 1, last + 1))) >= needed
        for last in range(int(since // period), int(until // period))
    ]


DAY = 86_400


@pytest.mark.parametrize("start", range(0, 900, 60))
def test_one_message_that_is_tried_in_vain_rings_within_the_first_hour_and_goes_on(
    template: Template, start: int
) -> None:
    pauses = (wait_seconds(Message("m", "r", count, "")) for count in itertools.count(1))
    moments = [start + moment for moment in tries(pauses, DAY)]
    assert all(rings(alarms(template)["EventsWaitingAlarm"], moments, start + 2700, DAY))


@pytest.mark.parametrize("start", range(0, 300, 20))
def test_one_message_whose_invocation_fails_rings_until_it_is_mended(
    template: Template, resources: Mapping[str, Any], start: int
) -> None:
    again = resources["DeliveryQueue"]["Properties"]["VisibilityTimeout"]
    moments = [start + moment for moment in tries(itertools.repeat(again), DAY)]
    assert all(rings(alarms(template)["ForwardErrorsAlarm"], moments, start + 1800, DAY))


ANSWERED = {
    "nothing but 401": ([401] * 3, True),
    "nine in ten": ([401] * 9 + [202], True),
    "fewer": ([401] * 8 + [202], False),
    "nothing but deliveries": ([202] * 3, False),
    "a scanner alone": ([404] * 100 + [405], False),
    "a scanner beside deliveries that are not proven": ([401] * 9 + [404] * 100 + [405], True),
    "nothing": ([], False),
}


@pytest.mark.parametrize(("statuses", "expected"), ANSWERED.values(), ids=ANSWERED)
def test_401_rings_where_hardly_anything_is_proven_whatever_else_anybody_asks_for(
    template: Template, capsys: pytest.CaptureFixture[str], statuses: Sequence[int], expected: bool
) -> None:
    for status in statuses:
        report_request(
            LoggedResponse(Response(HTTPStatus(status)), {"status": status, "partner": "okta", "queued": status == 202})
        )
    sums = Counter({"Count": len(statuses)} if statuses else {})
    for record in map(json.loads, capsys.readouterr().out.splitlines()):
        for directive in record.get("_aws", {}).get("CloudWatchMetrics", []):
            for metric in directive["Metrics"]:
                sums[metric["Name"]] += sum(record[metric["Name"]])
    alarm = alarms(template)["UnauthenticatedAlarm"]
    (share,) = [query for query in alarm["Metrics"] if query.get("ReturnData", True)]
    named = {query["Id"]: query["MetricStat"]["Metric"]["MetricName"] for query in alarm["Metrics"] if query != share}
    assert share["Expression"] == "unauthenticated / (unauthenticated + queued)"
    assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
    # What one of the metrics has no datapoint for, the expression has none for either.
    unauthenticated, queued = (sums.get(named[name]) for name in ("unauthenticated", "queued"))
    found = 0.0 if unauthenticated is None or queued is None else unauthenticated / (unauthenticated + queued)
    assert (found >= alarm["Threshold"]) == expected


def test_an_address_is_subscribed_where_there_is_one(deploy: Callable[..., Template], template: Template) -> None:
    (subscription,) = template.resources_of_type("AWS::SNS::Subscription").values()
    assert template.resolve(subscription) == {"TopicArn": TOPIC, "Protocol": "email", "Endpoint": "audit@example.com"}
    assert not deploy().resources_of_type("AWS::SNS::Subscription")


def test_nobody_but_this_stacks_alarms_may_publish(template: Template, resources: Mapping[str, Any]) -> None:
    allow, deny = template.resolve(resources["AlarmTopicPolicy"]["Properties"]["PolicyDocument"])["Statement"]
    assert (allow["Action"], allow["Resource"]) == ("sns:Publish", TOPIC)
    assert allow["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert allow["Condition"] == {
        "StringEquals": {"aws:SourceAccount": "111122223333"},
        "ArnLike": {"aws:SourceArn": "arn:aws:cloudwatch:eu-central-1:111122223333:alarm:trailhook-okta-*"},
    }
    assert deny["Effect"] == "Deny"


def test_the_page_has_every_alarm_and_a_command_in_the_section_that_it_names(template: Template, root: Path) -> None:
    page = (root / "docs" / "operations.md").read_text(encoding="utf-8")
    for alarm in alarms(template).values():
        assert f"| `{alarm['AlarmName'].removeprefix('trailhook-okta')}` |" in page
        title = alarm["AlarmDescription"].split(", ", 1)[1].split(". ")[0]
        (section,) = re.findall(rf"^## {title}\n(.*?)(?=^## |\Z)", page, flags=re.DOTALL | re.MULTILINE)
        assert "```console\n$ " in section, f"whoever is paged looks for a command in {title}"
