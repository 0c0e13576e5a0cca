"""A stack's alarms: which of them ring, and who would hear them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

_ALARMS_A_CALL = 100


@dataclass(frozen=True, slots=True)
class Ringing:
    """An alarm that rings."""

    name: str
    since: datetime
    description: str


@dataclass(frozen=True, slots=True)
class Alarms:
    """A stack's alarms: how many it made, those that ring, and the names of those that would tell nobody."""

    count: int
    ringing: Sequence[Ringing]
    switched_off: Sequence[str]
    deleted: Sequence[str]


@dataclass(frozen=True, slots=True)
class Listeners:
    """The subscriptions of the topic at which the alarms ring: how many were confirmed, and those that were not."""

    confirmed: int
    pending: Sequence[str]


def describe_alarms(cloudwatch: Any, names: Sequence[str]) -> Alarms:
    found = {}
    for start in range(0, len(names), _ALARMS_A_CALL):
        asked = names[start : start + _ALARMS_A_CALL]
        for alarm in cloudwatch.describe_alarms(AlarmNames=asked, MaxRecords=_ALARMS_A_CALL)["MetricAlarms"]:
            found[alarm["AlarmName"]] = alarm
    ringing = [
        Ringing(name, _rings_since(alarm), alarm.get("AlarmDescription", ""))
        for name, alarm in found.items()
        if alarm["StateValue"] == "ALARM"
    ]
    off = [name for name, alarm in found.items() if not (alarm["ActionsEnabled"] and alarm["AlarmActions"])]
    deleted = sorted(set(names) - found.keys())
    return Alarms(len(names), sorted(ringing, key=lambda one: one.since), sorted(off), deleted)


def _rings_since(alarm: Mapping[str, Any]) -> datetime:
    """When its state changed. The time of its last update moves with other changes, too, but every server has it."""
    since: datetime = alarm.get("StateTransitionedTimestamp") or alarm["StateUpdatedTimestamp"]
    return since


def list_listeners(sns: Any, topic: str | None) -> Listeners:
    """Ask SNS. It forgets by itself, after some days, what nobody confirms."""
    pages = sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
    found = [one for page in pages for one in page["Subscriptions"]]
    pending = [_who(one) for one in found if one["SubscriptionArn"] == "PendingConfirmation"]
    return Listeners(sum(one["SubscriptionArn"].startswith("arn:") for one in found), pending)


def _who(subscription: Mapping[str, str]) -> str:
    """An address; of a URL only the protocol, for a pager's URL holds its key."""
    protocol = subscription["Protocol"]
    return subscription["Endpoint"] if protocol.startswith("email") else protocol
