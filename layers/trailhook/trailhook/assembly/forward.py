"""forward's parts: the partners' mappings, CloudTrail Lake, the queue and the quarantine."""

import os
from functools import cache

import botocore
from botocore.config import Config

from trailhook import __version__
from trailhook.assembly import client, one_try, session
from trailhook.cloudtrail_lake import CloudTrailLake
from trailhook.deliver import PARALLEL_REQUESTS, Deliverer
from trailhook.forward import Forwarder
from trailhook.mapping import Mapper
from trailhook.pace import Pace
from trailhook.partners import Partners
from trailhook.put_audit_events import SignedPutAuditEvents
from trailhook.quarantine_bucket import QuarantineBucket
from trailhook.queue import SqsDeliveryQueue
from trailhook.settings import ForwardSettings

USER_AGENT = Config(user_agent=f"trailhook/{__version__} botocore/{botocore.__version__}")


def ca_bundle() -> str | None:
    """The authorities that botocore's clients verify with, in botocore's order: its own setting, then
    REQUESTS_CA_BUNDLE. None for those that it ships."""
    configured: str | None = session().get_config_variable("ca_bundle")
    return configured or os.environ.get("REQUESTS_CA_BUNDLE")


@cache
def forwarder(settings: ForwardSettings) -> Forwarder:
    """All partners can be met: after a stack changed its partner, the queue still holds the former one's deliveries."""
    requests = SignedPutAuditEvents(
        client("cloudtrail-data", one_try(2, 10, connections=PARALLEL_REQUESTS).merge(USER_AGENT)),
        settings.channel_arn,
        settings.external_id,
        ca_bundle=ca_bundle(),
    )
    return Forwarder(
        mapper=Mapper(Partners(settings.options), settings.exclude_events),
        account_id=settings.account_id,
        deliverer=Deliverer(CloudTrailLake(requests), pace=Pace(settings.requests_per_second)),
        queue=SqsDeliveryQueue(
            client("sqs", one_try(2, 5)), settings.delivery_queue_url, settings.dead_letter_queue_url
        ),
        # S3's model is the largest of all, and most invocations quarantine nothing.
        quarantine=QuarantineBucket(
            cache(lambda: client("s3", one_try(2, 5))), settings.quarantine_bucket, settings.delivery_queue_url
        ),
    )
