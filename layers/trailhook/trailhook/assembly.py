"""Where settings become working parts: the AWS clients with their time limits, put together once per process."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import boto3
from botocore.config import Config

from trailhook.cloudtrail_lake import CloudTrailLake
from trailhook.deliver import Deliverer
from trailhook.forward import Forwarder
from trailhook.integration.budget import Budget
from trailhook.integration.control_plane import ControlPlane
from trailhook.mapping import Mapper
from trailhook.partners import load_partner, load_partners
from trailhook.quarantine_bucket import QuarantineBucket
from trailhook.queue import SqsDeliveryQueue
from trailhook.receive import Receiver
from trailhook.secrets_manager import SecretsManagerStore
from trailhook.settings import ForwardSettings, ReceiveSettings
from trailhook.webhook_secret import WebhookSecret

PARALLEL_REQUESTS = 4


def _once(connect_seconds: float, read_seconds: float) -> Config:
    """No retries of botocore's own: receive has no time for them, and forward's are its own."""
    return Config(
        connect_timeout=connect_seconds,
        read_timeout=read_seconds,
        retries={"total_max_attempts": 1},
        max_pool_connections=PARALLEL_REQUESTS,
    )


@cache
def _session() -> boto3.Session:
    return boto3.Session()


def receive_limits(patience_seconds: float) -> tuple[Config, Config]:
    """The time limits of a call to Secrets Manager and of one to SQS.

    At worst receive reads the secret twice and sends once, which together takes no longer than its patience.
    """
    tenth = patience_seconds / 10
    return _once(tenth, 1.5 * tenth), _once(1.5 * tenth, 3.5 * tenth)


@cache
def receiver(settings: ReceiveSettings) -> Receiver:
    secret_limits, queue_limits = receive_limits(settings.patience_seconds)
    secret_store = SecretsManagerStore(
        _session().client("secretsmanager", config=secret_limits), settings.webhook_secret_arn
    )
    return Receiver(
        partner=load_partner(settings.partner, settings.options),
        secret=WebhookSecret(secret_store, grace_hours=settings.rotation_grace_hours),
        queue=SqsDeliveryQueue(_session().client("sqs", config=queue_limits), settings.delivery_queue_url),
        allowed=settings.allowed_source_ranges,
    )


@cache
def forwarder(settings: ForwardSettings) -> Forwarder:
    """All partners are loaded: after a stack changed its partner, the queue still holds the former one's deliveries."""
    lake = _session().client("cloudtrail-data", config=_once(2, 10))
    return Forwarder(
        mapper=Mapper(load_partners(settings.options), settings.exclude_events),
        account_id=settings.account_id,
        deliverer=Deliverer(
            CloudTrailLake(lake, settings.channel_arn, settings.external_id), parallel=PARALLEL_REQUESTS
        ),
        queue=SqsDeliveryQueue(
            _session().client("sqs", config=_once(2, 5)), settings.delivery_queue_url, settings.dead_letter_queue_url
        ),
        quarantine=QuarantineBucket(
            _session().client("s3", config=_once(2, 5)), settings.quarantine_bucket, settings.delivery_queue_url
        ),
    )


@contextmanager
def control_plane(budget: Budget, region: str) -> Iterator[ControlPlane]:
    """CloudTrail, for as long as the invocation works. Retries are the control plane's own, within the budget."""
    session = _session()
    connect = min(2.0, budget.call_seconds / 4)
    config = _once(connect, budget.call_seconds - connect)
    client = session.client("cloudtrail", region_name=session.region_name or region, config=config)
    try:
        yield ControlPlane(client, budget.work)
    finally:
        client.close()
