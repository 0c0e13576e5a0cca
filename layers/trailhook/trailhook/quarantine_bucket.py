"""The quarantine in S3: the bucket that the stack made, versioned and private."""

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from trailhook.errors import QuarantineError

if TYPE_CHECKING:
    # The stubs are for development and not in the layer.
    from types_boto3_s3.client import S3Client


class QuarantineBucket:
    """Keeps quarantine objects in one bucket."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def keep(self, key: str, body: bytes) -> None:
        try:
            self._client.put_object(Bucket=self._bucket, Key=key, Body=body, ContentType="application/x-ndjson")
        except (BotoCoreError, ClientError) as error:
            raise QuarantineError(f"S3 did not take s3://{self._bucket}/{key}: {error}") from error
