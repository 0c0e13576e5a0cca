"""What a round takes from template.yaml: time limits, batches, and the queue's patience."""

from dataclasses import dataclass
from pathlib import Path

from trailhook_local.stack.settings import DELIVERY_QUEUE, FORWARD, RECEIVE, read_mapping, read_queue
from trailhook_local.stack.template import Template, load_document


@dataclass(frozen=True, slots=True)
class Settings:
    """Times in seconds."""

    receive_timeout: float
    forward_timeout: float
    batch_size: int
    batching_window: float
    visibility_timeout: float
    max_receives: int


def read_settings(path: Path) -> Settings:
    """The settings as deployed. Raises TemplateError."""
    document = load_document(path)
    template = Template(document, {})
    functions = {name: document["Resources"][name]["Properties"] for name in (RECEIVE, FORWARD)}
    mapping, queue = read_mapping(template), read_queue(template, DELIVERY_QUEUE)
    return Settings(
        receive_timeout=float(functions[RECEIVE]["Timeout"]),
        forward_timeout=float(functions[FORWARD]["Timeout"]),
        batch_size=mapping.batch_size,
        batching_window=mapping.window_seconds,
        visibility_timeout=float(queue.attributes["VisibilityTimeout"]),
        max_receives=int(queue.max_receive_count or 0),
    )
