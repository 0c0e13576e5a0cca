"""The quarantine in S3: the bucket that the stack made, versioned and private."""

import shlex
from collections.abc import Callable
from typing import TYPE_CHECKING

from trailhook.aws_call import failing_as
from trailhook.errors import QuarantineError

if TYPE_CHECKING:
    # The stubs are for development and not in the layer.
    from types_boto3_s3.client import S3Client


class QuarantineBucket:
    """Keeps quarantine objects in one bucket, and knows the queue that their events go back to.

    `connect` hands out the client, which is made when it is first needed.
    """

    def __init__(self, connect: "Callable[[], S3Client]", bucket: str, delivery_queue_url: str) -> None:
        self._connect = connect
        self._bucket = bucket
        self._delivery_queue_url = delivery_queue_url

    def keep(self, key: str, body: bytes) -> None:
        with failing_as(QuarantineError, f"S3 did not confirm s3://{self._bucket}/{key}"):
            client = self._connect()
            answer = client.put_object(Bucket=self._bucket, Key=key, Body=body, ContentType="application/x-ndjson")
            tag = answer.get("ETag")
        if not isinstance(tag, str) or not tag:
            # A proxy's page, perhaps. Whoever takes it for a confirmation acknowledges what is nowhere.
            raise QuarantineError(f"S3 did not confirm s3://{self._bucket}/{key}: its answer has no ETag")

    def way_back(self, key: str, line: int) -> str:
        # Bucket and queue by name: both are kept when the stack, which could be asked for them, is deleted.
        where = ["--bucket", self._bucket, "--queue-url", self._delivery_queue_url]
        return shlex.join(["trailhook", "redrive", "quarantine", *where, "--key", key, "--line", str(line)])
