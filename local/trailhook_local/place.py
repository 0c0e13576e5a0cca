"""Where an integration keeps what waits for an operator: read from its stack, in AWS or on this laptop, or given."""

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError
from botocore.parsers import ResponseParserError

from trailhook_local import patience
from trailhook_local.stack.settings import DEAD_LETTER_QUEUE, DELIVERY_QUEUE, FORWARD, QUARANTINE_BUCKET
from trailhook_local.stack.status import read_status

_QUEUE_URL = re.compile(r"https://sqs\.(?P<region>[a-z]{2}(-[a-z]+)+-[0-9])\.amazonaws\.com(\.cn)?/")

_TRIGGER = "ForwardFunctionDeliveries"
"""As SAM calls what `Deliveries`, an event of ForwardFunction, becomes."""

_TOPIC = "AlarmTopic"

_KEPT = frozenset({"DELETE_SKIPPED", "DELETE_FAILED"})
"""How CloudFormation calls a queue that it was told to keep, and a bucket that S3 did not delete for what it holds."""

_IMPATIENT = Config(connect_timeout=5, read_timeout=20)
"""An operator waits at the screen: each try of boto3's own would take a minute."""

_REQUEST_IDS = ("x-amzn-requestid", "x-amz-request-id")
"""Headers of which every answer of AWS has one."""

_EXPIRED = frozenset(
    {
        *("ExpiredToken", "ExpiredTokenException"),
        *("InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId", "InvalidToken"),
    }
)
"""How services say of credentials that they count no more, or never did."""

_SKEWED = frozenset({"RequestTimeTooSkewed", "RequestExpired"})
_OF_ANOTHER_TIME = ("Signature expired", "Signature not yet current")
"""How services say that a request was not signed just now: by a code, or in how their words begin."""

ClientFactory = Callable[[str], Any]
"""Makes the boto3 client of a service."""


class PlaceError(Exception):
    """It is not known where to look; the message says what to name."""


REFUSALS = (PlaceError, BotoCoreError, ClientError, ResponseParserError)
"""What asking a service can end in."""


def explain(error: Exception) -> str:
    """What went wrong, and where that is no more than a setting of the caller's, which."""
    match error:
        case NoRegionError():
            return "no Region is configured: name the stack's with --region, or in AWS_REGION"
        case NoCredentialsError():
            return "no credentials are configured: set them as for the AWS CLI"
        case ResponseParserError():
            return (
                "what answered is not AWS: is AWS_ENDPOINT_URL set, or a proxy in between? For the local stack say "
                "--local"
            )
        case _:
            return str(error)


def signed_out(error: BaseException | None) -> bool:
    """Whether a service has refused the credentials as such, maybe by way of an error of ours."""
    if isinstance(error, ClientError):
        return error.response["Error"]["Code"] in _EXPIRED
    return error is not None and signed_out(error.__cause__)


def clock_is_wrong(error: BaseException | None) -> bool:
    """Whether a service has refused a request for the time at which it was signed, maybe by way of an error of ours.

    Most services say no more in their code than that the signature does not fit.
    """
    if isinstance(error, ClientError):
        told = error.response["Error"]
        return told["Code"] in _SKEWED or told.get("Message", "").startswith(_OF_ANOTHER_TIME)
    return error is not None and clock_is_wrong(error.__cause__)


@dataclass(frozen=True, slots=True)
class Place:
    """Two queues and a bucket; None where nobody named it.

    The rest only a stack in AWS has: its name, the names of its `alarms`, the ARN of the `topic` that they notify, the
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


@cache
def aws(region: str | None) -> ClientFactory:
    """Clients with the operator's own credentials and endpoints, as the AWS CLI finds them.

    Raises PlaceError where the credentials cannot be had: the program that tells them fails, a file with a token is
    not there, or nobody can type the code that they take. So does making a client where a setting, such as its
    endpoint, makes no sense. An answer that does not come from AWS raises ResponseParserError.
    """
    session: Any = boto3.Session(region_name=region)
    _sign_in(session)

    def client(service: str) -> Any:
        try:
            made = session.client(service, config=_IMPATIENT)
        except BotoCoreError:
            raise  # Some are ValueErrors as well, and say what is wrong: a Region that is none.
        except ValueError as error:
            raise PlaceError(
                f"{error}: in the environment or the profile, is AWS_ENDPOINT_URL a whole URL, like https://…, and "
                "AWS_MAX_ATTEMPTS a number?"
            ) from error
        made.meta.events.register("before-parse", _refuse_pages)
        return made

    return client


def _sign_in(session: Any) -> None:
    """Get the credentials now, in the time that it takes: somebody may have to look for a code."""
    try:
        if credentials := session.get_credentials():
            credentials.get_frozen_credentials()
    except BotoCoreError:
        raise  # Some are OSErrors as well.
    except OSError as error:
        raise PlaceError(
            f"a program or file that is to tell the credentials cannot be used ({error}): look at credential_process "
            "and web_identity_token_file in the profile of your AWS configuration, and at AWS_…_TOKEN_FILE in the "
            "environment"
        ) from error
    except EOFError as error:
        raise PlaceError("the credentials take a code that nobody is here to type: sign in before") from error
    except ValueError as error:  # of JSON, a moment or a command line: botocore reads them without a word
        raise PlaceError(
            f"what is to tell the credentials makes no sense ({error}): look at credential_process in the profile of "
            "your AWS configuration, at AWS_ENDPOINT_URL, whether AWS_MAX_ATTEMPTS and AWS_METADATA_SERVICE_… are "
            "numbers, and whether you have to sign in before"
        ) from error


def _refuse_pages(response_dict: Mapping[str, Any], **_: Any) -> None:
    """Without this, botocore would read the page of a proxy as an empty list of S3's objects."""
    if response_dict["status_code"] < 300 and not any(name in response_dict["headers"] for name in _REQUEST_IDS):
        raise ResponseParserError("an answer without a request id")


def region_of(queue_url: str) -> str | None:
    """The Region that a queue's URL names; None where it names none, as of a server on this laptop."""
    found = _QUEUE_URL.match(queue_url)
    return found["region"] if found else None


def place_of_stack(client: ClientFactory, stack: str) -> Place:
    """Ask CloudFormation. Raises PlaceError for a stack that has no endpoint, or none any more.

    CloudFormation still lists the queues and the bucket that a deleted stack kept. They do not count: events that are
    sent to such a queue are forwarded by nobody.
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
        return patience.begin(ask).result(patience.SECONDS)
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
