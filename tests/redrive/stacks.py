"""Where a stack says what it keeps: CloudFormation on loopback, with a trigger of Lambda's, and the status of one that
runs on this laptop."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from tests.loopback import Exchange, listening
from tests.redrive.conftest import Place

from trailhook_local.stack.status import Integration, Status, write_status

OF_AWS = {"x-amzn-requestid": "00000000-0000-0000-0000-000000000000"}


def resources_of(place: Place) -> dict[str, str]:
    """Logical and physical ids of what a stack keeps, and of other things in it; a status may stand before a `!`."""
    return {
        "HttpApi": "abcde12345",
        "DeliveryQueue": place.resources.queue_url,
        "DeliveryDeadLetterQueue": place.resources.dead_letter_queue_url,
        "QuarantineBucket": place.resources.bucket,
    }


def keep_status(place: Place, folder: Path) -> None:
    """The state of a stack that runs as long as this process, with an integration called github."""
    resources = place.resources
    here = Integration(
        partner="github",
        url="",
        secret="",
        secret_arn="",
        channel_arn="",
        event_data_store_arn="",
        queue_url=resources.queue_url,
        dead_letter_queue_url=resources.dead_letter_queue_url,
        bucket=resources.bucket,
    )
    write_status(folder, Status(os.getpid(), place.endpoints, "", {"github": here}))


def trigger(state: str) -> str:
    """The id of an event source mapping in that state, as long as such an id is."""
    return state.ljust(36, "-")


def function(reserved: int | None = None) -> str:
    """The name of a function with so many concurrent executions of its own."""
    return "forward" if reserved is None else f"forward-reserved-{reserved}"


@contextmanager
def cloudformation(stacks: Mapping[str, Mapping[str, str]]) -> Iterator[tuple[str, Sequence[str]]]:
    """ListStackResources on loopback, a resource a page: its URL, and the tokens of the pages that were asked for."""
    tokens: list[str] = []

    def respond(exchange: Exchange) -> None:
        if exchange.command == "GET":
            exchange.answer(
                200, json.dumps(_lambda(exchange.path)).encode(), OF_AWS | {"content-type": "application/json"}
            )
            return
        asked = parse_qs(exchange.body().decode())
        name, token = asked["StackName"][0], asked.get("NextToken", ["0"])[0]
        tokens.append(token)
        status, body = (200, _page(stacks[name], int(token))) if name in stacks else (400, _missing(name))
        if name == "proxy":
            status, body = 500, b"<!doctype html><p>Sign in"
        exchange.answer(status, body, OF_AWS | {"content-type": "text/xml"})

    with listening(respond) as url:
        yield url, tokens


@contextmanager
def refusing(code: str, message: str = "as a test wants it") -> Iterator[str]:
    """The URL of a service on loopback that answers everything with that error, as each of AWS's protocols has it."""

    def respond(exchange: Exchange) -> None:
        exchange.rfile.read(int(exchange.headers.get("content-length", 0)))
        kind = exchange.headers.get("content-type", "")
        body = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
        if "json" in kind:
            body = json.dumps({"__type": code, "message": message})
        elif "form" in kind:
            body = f"<ErrorResponse>{body}</ErrorResponse>"
        exchange.answer(400, body.encode(), {"x-amzn-errortype": code})

    with listening(respond) as url:
        yield url


@contextmanager
def page() -> Iterator[str]:
    """The URL of a proxy, or of whatever else is no service of AWS's, that answers everything with a page."""
    with answering(b"<html><body>Sign in</body></html>", {"content-type": "text/html"}) as url:
        yield url


@contextmanager
def answering(body: bytes, headers: Mapping[str, str] = OF_AWS) -> Iterator[str]:
    """The URL of a service on loopback that answers everything with that body, and is AWS's by its headers."""

    def respond(exchange: Exchange) -> None:
        exchange.rfile.read(int(exchange.headers.get("content-length", 0)))
        exchange.answer(200, body, headers)

    with listening(respond) as url:
        yield url


@contextmanager
def sns(subscriptions: Sequence[tuple[str, str, str]]) -> Iterator[str]:
    """The URL of a ListSubscriptionsByTopic on loopback, a subscription a page: protocol, endpoint and ARN."""

    def respond(exchange: Exchange) -> None:
        asked = parse_qs(exchange.body().decode())
        number = int(asked.get("NextToken", ["0"])[0])
        names = ("Protocol", "Endpoint", "SubscriptionArn")
        member = "".join(
            f"<{name}>{escape(value)}</{name}>"
            for one in subscriptions[number : number + 1]
            for name, value in zip(names, one, strict=True)
        )
        more = f"<NextToken>{number + 1}</NextToken>" if number + 1 < len(subscriptions) else ""
        body = (
            '<ListSubscriptionsByTopicResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/">'
            f"<ListSubscriptionsByTopicResult>{more}<Subscriptions>"
            f"{f'<member>{member}</member>' if member else ''}"
            "</Subscriptions></ListSubscriptionsByTopicResult></ListSubscriptionsByTopicResponse>"
        )
        exchange.answer(200, body.encode(), OF_AWS | {"content-type": "text/xml"})

    with listening(respond) as url:
        yield url


def _lambda(path: str) -> Mapping[str, object]:
    """What Lambda says of a `trigger`, or of the concurrency of a `function`."""
    *_, name, last = path.split("/")
    if last != "concurrency":
        return {"State": last.rstrip("-")}
    _, _, reserved = name.partition("-reserved-")
    return {"ReservedConcurrentExecutions": int(reserved)} if reserved else {}


def _page(resources: Mapping[str, str], number: int) -> bytes:
    logical_id, physical_id = list(resources.items())[number]
    more = f"<NextToken>{number + 1}</NextToken>" if number + 1 < len(resources) else ""
    status, _, physical_id = physical_id.rpartition("!")
    return (
        '<ListStackResourcesResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/">'
        f"<ListStackResourcesResult>{more}<StackResourceSummaries><member>"
        f"<LogicalResourceId>{logical_id}</LogicalResourceId>"
        f"<PhysicalResourceId>{escape(physical_id)}</PhysicalResourceId>"
        f"<ResourceType>{'AWS::CloudWatch::Alarm' if logical_id.endswith('Alarm') else 'Custom::Any'}</ResourceType>"
        f"<ResourceStatus>{status or 'CREATE_COMPLETE'}</ResourceStatus>"
        "</member></StackResourceSummaries></ListStackResourcesResult></ListStackResourcesResponse>"
    ).encode()


def _missing(name: str) -> bytes:
    return (
        '<ErrorResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><Error><Type>Sender</Type>'
        f"<Code>ValidationError</Code><Message>Stack with id {name} does not exist</Message></Error></ErrorResponse>"
    ).encode()
