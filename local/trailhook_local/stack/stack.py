"""The local stack: everything that a deployment would be, in processes of this machine, under one state directory."""

import os
import re
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from trailhook.errors import SettingsError
from trailhook.partner import Options
from trailhook.partners import load_partner
from trailhook_local.stack import status
from trailhook_local.stack.cloudformation import INTEGRATION, create_integration
from trailhook_local.stack.endpoints import Endpoints
from trailhook_local.stack.errors import InvocationError, NotSettledError, StartError
from trailhook_local.stack.gateway import refuse_taken_ports
from trailhook_local.stack.integration import Counts, Plan, RunningIntegration, Target, function_pool
from trailhook_local.stack.resources import (
    EVENT_DATA_STORE_NAME,
    create_resources,
    find_channel,
    find_event_data_store,
)
from trailhook_local.stack.servers import Server
from trailhook_local.stack.settings import (
    DEAD_LETTER_QUEUE,
    DELIVERY_QUEUE,
    INTEGRATION_FUNCTION,
    read_function,
    read_queue,
    read_settings,
)
from trailhook_local.stack.template import Template, load_document

DEFAULT_STATE = Path(".trailhook")
DEFAULT_TEMPLATE = Path("template.yaml")
ACCOUNT_ID = "111122223333"
REGION = "us-east-1"


class Stack:
    """A context manager that runs integrations, one per partner name or `Plan`.

    `retry_seconds` makes messages of a failed invocation come back that soon, and `window_seconds` shortens the
    batching window; None leaves both as the template has them. Raises `StackError`s on entering, and KeyboardInterrupt
    once `interrupted` is set; whatever was started by then is stopped again.
    """

    def __init__(
        self,
        plans: Sequence[Plan | str],
        *,
        state: Path = DEFAULT_STATE,
        template: Path = DEFAULT_TEMPLATE,
        retry_seconds: int | None = None,
        window_seconds: float | None = None,
        interrupted: threading.Event | None = None,
    ) -> None:
        self._plans = _checked([Plan(plan) if isinstance(plan, str) else plan for plan in plans])
        self.state = state.resolve()
        self._logs = self.state / "logs"
        self._template_file = template.resolve()
        self._retry_seconds = retry_seconds
        self._window_seconds = window_seconds
        self._interrupted = interrupted
        self._running: dict[str, RunningIntegration] = {}
        self._servers: dict[str, Server] = {}
        self._exit = ExitStack()
        self._target: Target
        self.endpoints: Endpoints
        self.event_data_store_arn = ""
        self.integrations: Mapping[str, status.Integration] = {}

    def __enter__(self) -> Self:
        try:
            with status.written(self.state):
                self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End every process and thread of the stack. Doing it twice is fine."""
        self._exit.close()

    def __getitem__(self, name: str) -> status.Integration:
        return self.integrations[name]

    def running(self, name: str) -> RunningIntegration:
        """The integration's own functions and counts."""
        return self._running[name]

    def client(self, service: str) -> Any:
        """A boto3 client of one of the local servers."""
        return self.endpoints.client(service)

    def counts(self) -> dict[str, Counts]:
        return {name: integration.counts() for name, integration in self._running.items()}

    def pids(self) -> list[int]:
        """Every process of the stack but this one."""
        workers = [pid for one in self._running.values() for pool in (one.receive, one.forward) for pid in pool.pids()]
        return [server.pid for server in self._servers.values()] + workers

    def wait_until_settled(self, timeout: float) -> None:
        """Wait up to `timeout` seconds until no message waits and no function works. Raises `NotSettledError`."""
        deadline = time.monotonic() + timeout
        while not all(integration.settled() for integration in self._running.values()):
            if time.monotonic() >= deadline:
                raise NotSettledError(f"not settled within {timeout:g} s: {self.counts()}; logs are in {self._logs}")
            time.sleep(0.1)

    def _start(self) -> None:
        document = load_document(self._template_file)
        if not self.state.exists():
            # Nobody's folder is made in vain. A stack that runs from one has the ports as well, and `hold` names it.
            refuse_taken_ports(plan.port for plan in self._plans)
        self._exit.enter_context(status.hold(self.state))
        self._logs.mkdir(mode=0o700, exist_ok=True)
        self._start_servers()
        for plan in self._plans:
            self._end_if_interrupted()
            integration = self._running[plan.label] = self._integrate(plan, document)
            self._exit.callback(integration.request_stop)
            integration.start()
        for integration in self._running.values():
            self._end_if_interrupted()
            integration.open()
        self.integrations = {name: integration.describe() for name, integration in self._running.items()}
        self.event_data_store_arn = next(iter(self.integrations.values())).event_data_store_arn
        self._publish()

    def _end_if_interrupted(self) -> None:
        """Python loses an interrupt that comes while it runs a finalizer, and a start takes long on a busy machine."""
        if self._interrupted and self._interrupted.is_set():
            raise KeyboardInterrupt

    def _start_servers(self) -> None:
        self._exit.callback(self._stop_servers)
        self._servers["lake"] = Server(
            "trailhook_local.lake",
            [f"--account={ACCOUNT_ID}", f"--region={REGION}", f"--data={self.state / 'lake'}"],
            self._logs / "lake.log",
        )
        self._servers["aws"] = Server(
            "trailhook_local.stack.aws", [], self._logs / "aws.log", {"MOTO_ACCOUNT_ID": ACCOUNT_ID}
        )
        urls = {name: server.wait_ready() for name, server in self._servers.items()}
        self.endpoints = Endpoints(aws=urls["aws"], cloudtrail=urls["lake"], region=REGION)
        self._target = Target(self.endpoints, ACCOUNT_ID, self._logs)

    def _integrate(self, plan: Plan, document: Mapping[str, Any]) -> RunningIntegration:
        """One deployment, as far as it can be made before its functions run."""
        stack_name = f"trailhook-{plan.label}"
        parameters = {"Partner": plan.partner, **self._where_events_go(plan, stack_name), **plan.parameters}
        template = Template(document, parameters, self._pseudo_parameters(stack_name))
        resources = create_resources(
            self.endpoints, plan.label, read_queue(template, DELIVERY_QUEUE), read_queue(template, DEAD_LETTER_QUEUE)
        )
        template.fill(resources.template_values())
        for logical_id in template.resources_of_type("AWS::SecretsManager::Secret"):
            template.fill({logical_id: {"Ref": resources.secret_arn}})
        created = self._create_integration(stack_name, template)
        template.fill({INTEGRATION: created})
        settings = read_settings(template, self._template_file.parent)
        if self._window_seconds is not None:
            settings = replace(settings, mapping=replace(settings.mapping, window_seconds=self._window_seconds))
        return RunningIntegration(plan, settings, resources, created, self._target, retry_seconds=self._retry_seconds)

    def _pseudo_parameters(self, stack_name: str) -> Mapping[str, str]:
        stack_id = f"arn:aws:cloudformation:{REGION}:{ACCOUNT_ID}:stack/{stack_name}"
        return {
            "AWS::AccountId": ACCOUNT_ID,
            "AWS::Partition": "aws",
            "AWS::Region": REGION,
            # The same at every start, because it is the same stack.
            "AWS::StackId": f"{stack_id}/{uuid.uuid5(uuid.NAMESPACE_URL, f'{self.state}/{stack_name}')}",
            "AWS::StackName": stack_name,
            "AWS::URLSuffix": "amazonaws.com",
        }

    def _where_events_go(self, plan: Plan, stack_name: str) -> Mapping[str, str]:
        """The parameters of an operator of several stacks: the first makes the event data store, the next share it.

        A channel of the source that is there already is shared, unless it is this stack's own, of an earlier start.
        """
        cloudtrail = self.client("cloudtrail")
        if channel := find_channel(cloudtrail, partner_source(plan.partner), not_named=stack_name):
            return {"ChannelArn": channel}
        store = find_event_data_store(cloudtrail)
        return {"EventDataStoreArns": store} if store else {"EventDataStoreName": EVENT_DATA_STORE_NAME}

    def _create_integration(self, stack_name: str, template: Template) -> Mapping[str, Any]:
        """Have the integration function make channel and event data store; what `!Ref` and `!GetAtt` of them are."""
        function = read_function(template, INTEGRATION_FUNCTION, self._template_file.parent)
        pool = function_pool(f"{stack_name}-integration", function, self._target, concurrency=1)
        try:
            template.fill({INTEGRATION_FUNCTION: {"Arn": pool.function.arn}})
            (properties,) = template.resources_of_type("Custom::CloudTrailIntegration").values()
            stack_id = template.resolve({"Ref": "AWS::StackId"})
            return create_integration(pool.invoke, stack_id, template.resolve(properties))
        except InvocationError as error:
            raise StartError(
                f"{pool.function.name} failed: {error}\n"
                f"Its output is in {pool.function.log_file}, unless the disk is full."
            ) from error
        finally:
            pool.close()

    def _publish(self) -> None:
        self._exit.callback(status.remove_status, self.state)
        status.write_status(
            self.state, status.Status(os.getpid(), self.endpoints, self.event_data_store_arn, self.integrations)
        )

    def _stop_servers(self) -> None:
        """Called when the integrations have been asked to stop: the end of the servers ends their last long polls."""
        for server in self._servers.values():
            server.stop()
        for integration in self._running.values():
            integration.join()


def _checked(plans: list[Plan]) -> list[Plan]:
    """The plans, if there are such partners, and names that queues and buckets can bear. Raises `StartError`."""
    names = [plan.label for plan in plans]
    for name in names:
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,29}", name):
            raise StartError(f"{name!r} cannot name an integration: use up to 30 of a-z, 0-9 and hyphens")
        if names.count(name) > 1:
            raise StartError(f"two integrations are called {name}; each needs a name of its own")
    for plan in plans:
        partner_source(plan.partner)
    return plans


def partner_source(partner: str) -> str:
    """The source of the partner's channel, from the product's own registry."""
    try:
        return load_partner(partner, Options()).source
    except SettingsError as error:
        raise StartError(str(error)) from error
