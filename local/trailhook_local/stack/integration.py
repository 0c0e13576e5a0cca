"""One integration at work: its two functions, the gateway before the one and the queue's poller before the other."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trailhook_local.queue_counts import QueueCounts, count_messages
from trailhook_local.stack import status
from trailhook_local.stack.endpoints import Endpoints
from trailhook_local.stack.event_source_mapping import EventSourceMapping, Source
from trailhook_local.stack.functions import Function, FunctionPool
from trailhook_local.stack.gateway import Gateway
from trailhook_local.stack.httpapi import Api
from trailhook_local.stack.resources import Resources
from trailhook_local.stack.settings import FunctionSettings, Settings

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

# A busy laptop's moto can take longer than AWS.
LAPTOP_PATIENCE_SECONDS = "8"

# Execution environments of receive at most; Lambda would start one for each request under way.
RECEIVE_CONCURRENCY = 4


@dataclass(frozen=True)
class Plan:
    """What to run: a partner under a name of its own, with values for the template's parameters.

    `port` 0 lets the operating system choose.
    """

    partner: str
    name: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    port: int = 0

    @property
    def label(self) -> str:
        return self.name or self.partner


@dataclass(frozen=True)
class Counts:
    """Messages of one integration, by their queue."""

    deliveries: QueueCounts
    dead_letters: QueueCounts

    @property
    def total(self) -> int:
        return self.deliveries.total + self.dead_letters.total


@dataclass(frozen=True)
class Target:
    """Where integrations are deployed: the local servers, the account that all belongs to, and the folder for logs."""

    endpoints: Endpoints
    account_id: str
    logs: Path


def function_pool(name: str, function: FunctionSettings, target: Target, concurrency: int) -> FunctionPool:
    """The processes of one function, pointed at the local servers."""
    # The template leaves the endpoints empty, which means AWS itself; here they must not be.
    own = {key: value for key, value in function.environment.items() if not key.startswith("AWS_ENDPOINT_URL")}
    return FunctionPool(
        Function(
            name=name,
            arn=f"arn:aws:lambda:{target.endpoints.region}:{target.account_id}:function:{name}",
            path=function.path,
            handler=function.handler,
            timeout_seconds=function.timeout_seconds,
            memory_mb=function.memory_mb,
            concurrency=concurrency,
            environment={**own, **target.endpoints.environment(), "PATIENCE_SECONDS": LAPTOP_PATIENCE_SECONDS},
            log_file=target.logs / f"{name}.log",
        )
    )


class RunningIntegration:
    """Built with everything it needs, then `start`ed (processes) and `open`ed (requests and messages).

    `created` is what the integration function answered: the ARNs of channel and event data stores.
    """

    def __init__(
        self,
        plan: Plan,
        settings: Settings,
        resources: Resources,
        created: Mapping[str, Any],
        target: Target,
        *,
        retry_seconds: int | None,
    ) -> None:
        self.name = plan.label
        self.partner = plan.partner
        self._resources = resources
        self._created = created
        self._sqs: SQSClient = target.endpoints.client("sqs")

        def pool(kind: str, function: FunctionSettings, concurrency: int) -> FunctionPool:
            return function_pool(f"trailhook-{self.name}-{kind}", function, target, concurrency)

        self.receive = pool("receive", settings.receive, RECEIVE_CONCURRENCY)
        self.forward = pool("forward", settings.forward, settings.mapping.maximum_concurrency)
        self._gateway = Gateway(
            Api(target.account_id, f"local{self.name}"), self.receive.submit, settings.throttle, plan.port
        )
        self._mapping = EventSourceMapping(
            settings.mapping,
            Source(resources.queue_url, resources.queue_arn),
            self._sqs,
            self.forward.invoke,
            retry_seconds,
        )
        self._exit = ExitStack()

    @property
    def url(self) -> str:
        return self._gateway.url

    def start(self) -> None:
        """Start both functions' first processes without waiting for them."""
        for pool in (self.receive, self.forward):
            self._exit.callback(pool.close)
            pool.start()

    def open(self) -> None:
        """Wait for both functions, then let requests and messages in. Raises `StartError`."""
        self.receive.wait_ready()
        self.forward.wait_ready()
        self._gateway.start()
        self._mapping.start()

    def describe(self) -> status.Integration:
        return status.Integration(
            partner=self.partner,
            url=self.url,
            secret=self._resources.secret,
            secret_arn=self._resources.secret_arn,
            channel_arn=self._created["ChannelArn"],
            event_data_store_arn=self._created["EventDataStoreArns"][0],
            queue_url=self._resources.queue_url,
            dead_letter_queue_url=self._resources.dead_letter_queue_url,
            bucket=self._resources.bucket,
        )

    def counts(self) -> Counts:
        resources = self._resources
        return Counts(
            deliveries=count_messages(self._sqs, resources.queue_url),
            dead_letters=count_messages(self._sqs, resources.dead_letter_queue_url),
        )

    def settled(self) -> bool:
        """Whether nothing is under way. Looks along the way of a delivery, so that none slips past."""
        return not self.receive.in_flight and not self.counts().deliveries.total and not self.forward.in_flight

    def request_stop(self) -> None:
        self._gateway.stop()
        self._mapping.request_stop()
        self._exit.close()

    def join(self) -> None:
        """Wait for the poller; its last long poll ends with the server."""
        self._mapping.join()
