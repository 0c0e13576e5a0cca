"""StartMessageMoveTask and ListMessageMoveTasks, which moto lacks: how dead letters get back into work.

Follows "Learn how to configure a dead-letter queue redrive in Amazon SQS": what is moved is a new message, with a new
id, arrival time and receive count. Tasks here are complete when they are answered. Whether SQS knows the way back of a
message that was *sent* to the dead-letter queue is not documented: without `DestinationArn` it stays where it is.
"""

import time
import uuid
from collections.abc import Callable
from typing import Any

from moto.core.responses import ActionResult
from moto.sqs import models
from moto.sqs.exceptions import SQSException
from moto.sqs.responses import SQSResponse


def install() -> None:
    """Let this process's moto answer both operations. Call before the first request."""
    SQSResponse.start_message_move_task = start_message_move_task
    SQSResponse.list_message_move_tasks = list_message_move_tasks


def start_message_move_task(response: Any) -> ActionResult:
    backend = response.sqs_backend
    source = _queue(backend, response._get_param("SourceArn"))
    if not any(queue.dead_letter_queue is source for queue in backend.queues.values()):
        raise SQSException("InvalidParameterValue", "Source queue must be configured as a Dead Letter Queue.")
    destination_arn = response._get_param("DestinationArn")
    destination = _queue(backend, destination_arn) if destination_arn else None
    task = {
        "TaskHandle": str(uuid.uuid4()),
        "Status": "COMPLETED",
        "SourceArn": source.queue_arn,
        "ApproximateNumberOfMessagesMoved": move(source, lambda message: destination or origin(message)),
        "StartedTimestamp": int(time.time() * 1000),
    }
    if destination_arn:
        task["DestinationArn"] = destination_arn
    source.move_tasks.insert(0, task)
    return ActionResult({"TaskHandle": task["TaskHandle"]})


def list_message_move_tasks(response: Any) -> ActionResult:
    source = _queue(response.sqs_backend, response._get_param("SourceArn"))
    return ActionResult({"Results": source.move_tasks[: response._get_param("MaxResults", 1)]})


def move(source: Any, destination_of: Callable[[Any], Any]) -> int:
    """Move the visible messages of `source` to where `destination_of` says. Returns how many went."""
    moved = 0
    with source._messages_lock:
        for message in source.messages:
            if (destination := destination_of(message)) is None:
                continue
            fresh = models.Message(str(uuid.uuid4()), message.body, message.system_attributes)
            fresh.message_attributes = message.message_attributes
            fresh.mark_sent()
            destination.add_message(fresh)
            source.remove(message)
            moved += 1
    return moved


def origin(message: Any) -> Any:
    """The queue whose redrive policy put the message among the dead letters, None where it was sent there."""
    return getattr(message, "dead_letter_source", None)


def _queue(backend: Any, arn: str) -> Any:
    for queue in backend.queues.values():
        if queue.queue_arn == arn:
            return queue
    raise SQSException(
        "ResourceNotFoundException",
        "The resource that you specified for the SourceArn or DestinationArn parameter doesn't exist.",
    )
