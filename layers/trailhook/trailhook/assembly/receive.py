"""receive's parts: the partner, its secret and the queue."""

from functools import cache

from botocore.config import Config

from trailhook.assembly import client, one_try
from trailhook.partners import load_partner
from trailhook.queue import SqsDeliveryQueue
from trailhook.receive import Receiver
from trailhook.secrets_manager import SecretsManagerStore
from trailhook.settings import ReceiveSettings
from trailhook.webhook_secret import WebhookSecret


def closed_seconds(patience_seconds: float) -> float:
    """How late a call may learn that its connection was closed before, and be made again: a few round trips."""
    return patience_seconds / 40


def receive_limits(patience_seconds: float, fetch_seconds: float = 0) -> tuple[Config, Config]:
    """The time limits of a call to Secrets Manager and of one to SQS.

    At worst receive reads the secret twice, sends once, finds each of these connections closed, and spends
    `fetch_seconds` on what its partner's proof has to fetch, which together takes no longer than its patience.
    """
    calls = patience_seconds - fetch_seconds - 3 * closed_seconds(patience_seconds)
    tenth = max(calls, patience_seconds / 2) / 10
    return one_try(tenth, 1.5 * tenth), one_try(1.5 * tenth, 3.5 * tenth)


@cache
def receiver(settings: ReceiveSettings) -> Receiver:
    """Raises SettingsError for a partner that there is not, or that the settings do not fit."""
    partner = load_partner(settings.partner, settings.options)
    secret_limits, queue_limits = receive_limits(settings.patience_seconds, partner.fetch_seconds)
    closed = closed_seconds(settings.patience_seconds)
    secret_store = SecretsManagerStore(
        client("secretsmanager", secret_limits), settings.webhook_secret_arn, closed_seconds=closed
    )
    return Receiver(
        partner=partner,
        secret=WebhookSecret(secret_store, grace_hours=settings.rotation_grace_hours),
        queue=SqsDeliveryQueue(client("sqs", queue_limits), settings.delivery_queue_url, closed_seconds=closed),
        allowed=settings.allowed_source_ranges,
    )
