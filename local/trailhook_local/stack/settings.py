"""What template.yaml says about one integration: queues, functions, event source mapping and throttling."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trailhook_local.stack.errors import TemplateError
from trailhook_local.stack.event_source_mapping import MappingSettings
from trailhook_local.stack.gateway import Throttle
from trailhook_local.stack.template import Template

RECEIVE, FORWARD, INTEGRATION_FUNCTION = "ReceiveFunction", "ForwardFunction", "IntegrationFunction"
DELIVERY_QUEUE, DEAD_LETTER_QUEUE = "DeliveryQueue", "DeliveryDeadLetterQueue"
QUARANTINE_BUCKET = "QuarantineBucket"

# What a mapping without `MaximumConcurrency` gets here; Lambda would go up to 1,250.
LAPTOP_CONCURRENCY = 4


@dataclass(frozen=True)
class FunctionSettings:
    path: Path
    handler: str
    timeout_seconds: float
    memory_mb: int
    environment: Mapping[str, str]


@dataclass(frozen=True)
class QueueSettings:
    """The queue's own attributes, as SQS' CreateQueue takes them, without its redrive policy."""

    attributes: Mapping[str, str]
    max_receive_count: int | None


@dataclass(frozen=True)
class Settings:
    """One integration's functions, and what stands before each of them."""

    receive: FunctionSettings
    forward: FunctionSettings
    mapping: MappingSettings
    throttle: Throttle | None


def read_settings(template: Template, root: Path) -> Settings:
    """The settings of one integration. `root` is the folder that `CodeUri` starts from. Raises `TemplateError`."""
    return Settings(
        receive=read_function(template, RECEIVE, root),
        forward=read_function(template, FORWARD, root),
        mapping=read_mapping(template),
        throttle=_throttle(template),
    )


def _properties(template: Template, logical_id: str) -> dict[str, Any]:
    try:
        properties: dict[str, Any] = template.document["Resources"][logical_id]["Properties"]
    except KeyError:
        raise TemplateError(f"the template has no resource {logical_id} with properties") from None
    return properties


def _setting(template: Template, logical_id: str, properties: Mapping[str, Any], name: str, default: Any = None) -> Any:
    try:
        value = template.resolve(properties.get(name, default))
    except TemplateError as error:
        raise TemplateError(f"{logical_id}, {name}: {error}") from error
    if value is None:
        raise TemplateError(f"{logical_id} says no {name}")
    return value


def read_function(template: Template, logical_id: str, root: Path) -> FunctionSettings:
    """The settings of one function. Raises `TemplateError`."""
    shared = template.document.get("Globals", {}).get("Function", {})
    own = _properties(template, logical_id)
    properties = {**shared, **own}
    variables = {
        **shared.get("Environment", {}).get("Variables", {}),
        **own.get("Environment", {}).get("Variables", {}),
    }
    environment = {name: str(_setting(template, logical_id, variables, name)) for name in variables}
    module, _, handler = str(_setting(template, logical_id, properties, "Handler")).rpartition(".")
    return FunctionSettings(
        path=(root / _setting(template, logical_id, properties, "CodeUri") / f"{module}.py").resolve(),
        handler=handler,
        # SAM's own defaults.
        timeout_seconds=float(_setting(template, logical_id, properties, "Timeout", 3)),
        memory_mb=int(_setting(template, logical_id, properties, "MemorySize", 128)),
        environment=environment,
    )


def read_queue(template: Template, logical_id: str) -> QueueSettings:
    """The settings of one queue. Raises `TemplateError`."""
    properties = _properties(template, logical_id)
    names = ("VisibilityTimeout", "MessageRetentionPeriod", "DelaySeconds", "ReceiveMessageWaitTimeSeconds")
    attributes = {name: str(_setting(template, logical_id, properties, name)) for name in names if name in properties}
    redrive = properties.get("RedrivePolicy")
    count = None if redrive is None else int(_setting(template, logical_id, redrive, "maxReceiveCount"))
    return QueueSettings(attributes, count)


def read_mapping(template: Template) -> MappingSettings:
    """The settings of the one event source mapping. Raises `TemplateError`."""
    sources = [
        event["Properties"]
        for event in _properties(template, FORWARD).get("Events", {}).values()
        if event["Type"] == "SQS"
    ]
    sources += template.resources_of_type("AWS::Lambda::EventSourceMapping").values()
    if len(sources) != 1:
        raise TemplateError(f"{FORWARD} needs exactly one SQS event; the template has {len(sources)}")
    (source,) = sources

    def setting(name: str, default: Any) -> Any:
        return _setting(template, f"{FORWARD}'s SQS event", source, name, default)

    return MappingSettings(
        batch_size=int(setting("BatchSize", 10)),
        window_seconds=float(setting("MaximumBatchingWindowInSeconds", 0)),
        maximum_concurrency=int(setting("ScalingConfig", {}).get("MaximumConcurrency", LAPTOP_CONCURRENCY)),
        report_batch_item_failures="ReportBatchItemFailures" in setting("FunctionResponseTypes", []),
    )


def _throttle(template: Template) -> Throttle | None:
    apis = template.resources_of_type("AWS::Serverless::HttpApi", "AWS::ApiGatewayV2::Stage")
    for logical_id, properties in apis.items():
        limits = _setting(template, logical_id, properties, "DefaultRouteSettings", {})
        if "ThrottlingRateLimit" in limits and "ThrottlingBurstLimit" in limits:
            return Throttle(float(limits["ThrottlingRateLimit"]), int(limits["ThrottlingBurstLimit"]))
    return None
