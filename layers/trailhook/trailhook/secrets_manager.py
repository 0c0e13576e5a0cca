"""The webhook secret in AWS Secrets Manager."""

from typing import TYPE_CHECKING

from trailhook.aws_call import failing_as, once_more_if_closed
from trailhook.errors import SecretStoreError
from trailhook.webhook_secret import SecretVersion

if TYPE_CHECKING:
    # The stubs are for development and not in the layer.
    from types_boto3_secretsmanager.client import SecretsManagerClient


class SecretsManagerStore:
    """One secret's versions, asked for once more if the connection turns out to be closed within `closed_seconds`.

    AWS page: "GetSecretValue".
    """

    def __init__(self, client: "SecretsManagerClient", secret_arn: str, *, closed_seconds: float = 0) -> None:
        self._client = client
        self._secret_arn = secret_arn
        self._closed_seconds = closed_seconds

    def read(self, stage: str) -> SecretVersion | None:
        with failing_as(SecretStoreError, f"Secrets Manager did not answer for {stage}"):
            try:
                answer = once_more_if_closed(
                    lambda: self._client.get_secret_value(SecretId=self._secret_arn, VersionStage=stage),
                    self._closed_seconds,
                )
            except self._client.exceptions.ResourceNotFoundException:
                return None
            # A secret put with `file://` ends in the file's newline, which no partner's console can hold.
            value = answer.get("SecretString", "").rstrip("\r\n")
            created = answer["CreatedDate"]
        if not value:
            raise SecretStoreError(
                "The webhook secret is a plain string, not binary and not empty; put one with SetWebhookSecretCommand"
            )
        return SecretVersion(value, created)
