"""Where an integration keeps what waits for an operator: read from its stack, in AWS or on this laptop, or given."""

import re
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from trailhook.background import begin
from trailhook_local import patience
from trailhook_local.aws_session import ClientFactory
from trailhook_local.stack.settings import DEAD_LETTER_QUEUE, DELIVERY_QUEUE, FORWARD, QUARANTINE_BUCKET
from trailhook_local.stack.status import read_status

_QUEUE_URL = re.compile(r"https://sqs\.(?P<region>[a-z]{2,4}(-[a-z]+)+-[0-9])\.amazonaws\.(com|com\.cn|eu)/")
"""The last domain is the European Sovereign Cloud's, whose Region is eusc-de-east-1."""

_ACCOUNT = re.compile(r"/(?P<account>[0-9]{12})/[^/]+")

_TRIGGER = "ForwardFunctionDeliveries"
"""The logical id that SAM gives to the event source mapping of `Deliveries`, ForwardFunction's event."""

_TOPIC = "AlarmTopic"

_KEPT = frozenset({"DELETE_SKIPPED", "DELETE_FAILED"})
"""The status of a queue that CloudFormation was told to keep, and of a bucket that S3 kept because of what it holds."""


class PlaceError(Exception):
    """It is not known where to look; the message says what to name."""


@dataclass(frozen=True, slots=True)
class Place:
    """Two queues and a bucket; None where nobody named it.

    Only a stack in AWS has the rest: its name, the names of its `alarms`, the ARN of the `topic` that they notify, the
    name of the function `forward`, and the id of the event source mapping (`trigger`) that hands it its messages.
    """

    client: ClientFactory
    queue_url: str | None = None
    dead_letter_queue_url: str | None = None
    bucket: str | None = None
    stack: str | None = None
    alarms: Sequence[str] = ()
    forward: str | None = None
    trigger: str | None = None
    topic: str | None = None


def region_of(queue_url: str) -> str | None:
    """The Region that a queue's URL names; None where it names none, as of a server on this laptop."""
    found = _QUEUE_URL.match(queue_url)
    return found["region"] if found else None


def account_of(queue_url: str) -> str:
    """The account that a queue's URL names. Raises PlaceError for what is no queue's URL."""
    found = _ACCOUNT.search(queue_url)
    if found is None:
        raise PlaceError(
            f"{queue_url} is no queue's URL, such as https://sqs.eu-central-1.amazonaws.com/111122223333/name"
        )
    return found["account"]


def place_of_stack(client: ClientFactory, stack: str) -> Place:
    """Ask CloudFormation. Raises PlaceError for a stack that has no endpoint, or none any more.

    CloudFormation still lists the queues and the bucket that a deleted stack kept. They do not count: nothing
    forwards events that are sent to such a queue.
    """
    names = (DELIVERY_QUEUE, DEAD_LETTER_QUEUE, QUARANTINE_BUCKET)
    there: dict[str, str] = {}
    kept: dict[str, str] = {}
    alarms: list[str] = []
    for resource in _resources(client, stack):
        status, name = resource["ResourceStatus"], resource["LogicalResourceId"]
        physical_id = resource.get("PhysicalResourceId", "")
        if not status.startswith("DELETE"):
            there[name] = physical_id
            # One whose creation failed has no name.
            if physical_id and resource.get("ResourceType") == "AWS::CloudWatch::Alarm":
                alarms.append(physical_id)
        elif status in _KEPT and name in names and physical_id:
            kept[name] = physical_id
    if missing := [name for name in names if not there.get(name)]:
        its = f". It kept {', '.join(kept.values())}" if kept else ""
        raise PlaceError(
            f"stack {stack} has no {missing[0]}: is it Trailhook's, with a partner that delivers webhooks? "
            "Queues and bucket of a deleted stack are kept: "
            f"`trailhook redrive` takes them by --queue-url and the like{its}"
        )
    return Place(
        client,
        queue_url=there[DELIVERY_QUEUE],
        dead_letter_queue_url=there[DEAD_LETTER_QUEUE],
        bucket=there[QUARANTINE_BUCKET],
        # A stack may be named by its ARN, in which its name is the last part but one.
        stack=stack.split("/")[1] if stack.startswith("arn:") else stack,
        alarms=alarms,
        forward=there.get(FORWARD),
        trigger=there.get(_TRIGGER),
        topic=there.get(_TOPIC),
    )


def _resources(client: ClientFactory, stack: str) -> Sequence[Mapping[str, Any]]:
    cloudformation = client("cloudformation")

    def ask() -> Sequence[Mapping[str, Any]]:
        with closing(cloudformation):
            pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
            return [resource for page in pages for resource in page["StackResourceSummaries"]]

    try:
        return begin(ask).result(patience.SECONDS)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        region = cloudformation.meta.region_name
        raise PlaceError(f"{error}: is that its name, and {region} its Region? (--region names another)") from error
    except TimeoutError as error:
        raise PlaceError(
            f"CloudFormation did not answer within {patience.SECONDS} seconds: look at AWS Health and at this "
            "machine's network, and run it again"
        ) from error


def place_on_laptop(state: Path, name: str) -> Place:
    """Ask the stack that runs here. Raises StackError."""
    status = read_status(state)
    integration = status.integration(name)
    return Place(status.endpoints.client, integration.queue_url, integration.dead_letter_queue_url, integration.bucket)
