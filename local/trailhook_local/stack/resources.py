"""Makes a deployment's queues, bucket and secret on the local servers, and finds event data store and channel there."""

import json
import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trailhook_local.stack.endpoints import Endpoints
from trailhook_local.stack.settings import (
    DEAD_LETTER_QUEUE,
    DELIVERY_QUEUE,
    QUARANTINE_BUCKET,
    QueueSettings,
)

EVENT_DATA_STORE_NAME = "trailhook"
# What Secrets Manager's GenerateSecretString makes of PasswordLength 44 and ExcludePunctuation.
SECRET_ALPHABET = string.ascii_letters + string.digits
SECRET_LENGTH = 44


@dataclass(frozen=True)
class Resources:
    """One integration's own resources."""

    queue_url: str
    queue_arn: str
    dead_letter_queue_url: str
    dead_letter_queue_arn: str
    bucket: str
    secret: str
    secret_arn: str

    def template_values(self) -> Mapping[str, Mapping[str, str]]:
        """What `!Ref` and `!GetAtt` of the template's resources stand for."""
        return {
            DELIVERY_QUEUE: {"Ref": self.queue_url, "QueueUrl": self.queue_url, "Arn": self.queue_arn},
            DEAD_LETTER_QUEUE: {
                "Ref": self.dead_letter_queue_url,
                "QueueUrl": self.dead_letter_queue_url,
                "Arn": self.dead_letter_queue_arn,
            },
            QUARANTINE_BUCKET: {"Ref": self.bucket, "Arn": f"arn:aws:s3:::{self.bucket}"},
        }


def create_resources(
    endpoints: Endpoints, name: str, delivery: QueueSettings, dead_letters: QueueSettings
) -> Resources:
    """Create the resources of the integration `name`: a queue with its dead letters, a bucket, a generated secret."""
    sqs, s3 = endpoints.client("sqs"), endpoints.client("s3")
    dead_letter_queue_url, dead_letter_queue_arn = _create_queue(
        sqs, f"trailhook-delivery-dead-letters-{name}", dead_letters.attributes
    )
    attributes = dict(delivery.attributes)
    if delivery.max_receive_count is not None:
        attributes["RedrivePolicy"] = json.dumps(
            {"deadLetterTargetArn": dead_letter_queue_arn, "maxReceiveCount": delivery.max_receive_count}
        )
    queue_url, queue_arn = _create_queue(sqs, f"trailhook-delivery-{name}", attributes)
    bucket = f"trailhook-quarantine-{name}"
    location = {} if endpoints.region == "us-east-1" else {"LocationConstraint": endpoints.region}
    s3.create_bucket(Bucket=bucket, **({"CreateBucketConfiguration": location} if location else {}))
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    secret = "".join(secrets.choice(SECRET_ALPHABET) for _ in range(SECRET_LENGTH))
    created = endpoints.client("secretsmanager").create_secret(Name=f"trailhook/{name}", SecretString=secret)
    return Resources(
        queue_url=queue_url,
        queue_arn=queue_arn,
        dead_letter_queue_url=dead_letter_queue_url,
        dead_letter_queue_arn=dead_letter_queue_arn,
        bucket=bucket,
        secret=secret,
        secret_arn=created["ARN"],
    )


def _create_queue(sqs: Any, name: str, attributes: Mapping[str, str]) -> tuple[str, str]:
    """The queue's URL and ARN."""
    url = sqs.create_queue(QueueName=name, Attributes=dict(attributes))["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return url, arn


def find_event_data_store(cloudtrail: Any) -> str | None:
    """The ARN of the event data store that all integrations share, where an earlier one made it."""
    stores = cloudtrail.list_event_data_stores()["EventDataStores"]
    return next((store["EventDataStoreArn"] for store in stores if store["Name"] == EVENT_DATA_STORE_NAME), None)


def find_channel(cloudtrail: Any, source: str, not_named: str) -> str | None:
    """The ARN of the account's one channel of this source, unless it has that name."""
    for listed in cloudtrail.list_channels()["Channels"]:
        channel = cloudtrail.get_channel(Channel=listed["ChannelArn"])
        if channel["Source"] == source and channel["Name"] != not_named:
            return str(channel["ChannelArn"])
    return None
