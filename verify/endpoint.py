"""What API Gateway makes of a request on its way to a deployed stack's endpoint. Nothing that is sent is queued.

Each body is signed, and larger than a queue message: 413 says that the signature held, so every byte arrived, and 401
that it did not. 415 says, too, that every byte arrived, under a content type that receive does not read.
"""

import gzip
import random
from collections.abc import Mapping
from dataclasses import dataclass

import boto3
import urllib3
from botocore.exceptions import ClientError

from trailhook_local.signing import sign_standard_webhooks
from verify.probe import Answer, Fit, Probe, fitting, required
from verify.workbench import CannotVerifyError

AS_TEXT = ("application/json", "text/plain", "application/xml", "application/javascript")
AS_BASE64 = ("application/octet-stream", "application/gzip", "application/x-ndjson", "application/cloudevents+json")
FORM = "application/x-www-form-urlencoded"
BYTES = 1_100_000


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A deployed stack's endpoint and what proves a sender there."""

    url: str
    secret: str
    pool: urllib3.PoolManager

    @classmethod
    def of_stack(cls, session: boto3.Session, name: str) -> "Endpoint":
        """Read the stack's outputs and its webhook secret. Raises CannotVerifyError."""
        try:
            (stack,) = session.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
            outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
            arn, url = outputs["WebhookSecretArn"], outputs["WebhookUrl"]
            secret = session.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"]
        except KeyError as error:
            raise CannotVerifyError(f"The stack {name} has no output {error}: name one with an endpoint") from error
        except ClientError as error:
            raise CannotVerifyError(f"--stack {name}: {error}") from error
        endpoint = cls(url.removesuffix("/webhook"), secret.rstrip("\r\n"), urllib3.PoolManager())
        if not endpoint.arrives(noise(), {"content-type": "application/octet-stream"}):
            raise CannotVerifyError(
                f"{url} does not take what this script signs: is its address within AllowedSourceRanges?"
            )
        return endpoint

    def status(self, path: str, body: bytes = b"{}", headers: Mapping[str, str] | None = None) -> int:
        reply = self.pool.request("POST", f"{self.url}{path}", body=body, headers=headers, retries=False, timeout=35)
        return reply.status

    def arrives(self, body: bytes, headers: Mapping[str, str]) -> bool:
        """Whether every byte arrives."""
        status = self.status("/webhook", body, {**headers, **sign_standard_webhooks(self.secret, body)})
        if status not in {401, 413, 415}:
            raise CannotVerifyError(f"The endpoint answered {status} where only 401, 413 or 415 can be")
        return status != 401


def noise() -> bytes:
    """A gzip body that cannot be made smaller: most of it is no UTF-8."""
    return gzip.compress(random.randbytes(BYTES))


def encoding_by_content_type(endpoint: Endpoint) -> Answer:
    survives = {kind: endpoint.arrives(noise(), {"content-type": kind}) for kind in (*AS_TEXT, *AS_BASE64, FORM)}
    text = [kind for kind, arrived in survives.items() if not arrived]
    return fitting(f"as text: {', '.join(text) or 'none'}; the rest as base64", assumed=text == list(AS_TEXT))


def gzip_under_text(endpoint: Endpoint) -> Answer:
    headers = {"content-type": "text/plain", "content-encoding": "gzip"}
    arrived = endpoint.arrives(noise(), headers)
    return fitting("it arrives" if arrived else "it is destroyed, and refused", assumed=not arrived)


def text_that_is_not_utf8(endpoint: Endpoint) -> Answer:
    body = b'{"text": "\xff' + random.randbytes(BYTES).hex().encode() + b'"}'
    arrived = endpoint.arrives(body, {"content-type": "application/json"})
    return fitting("it arrives" if arrived else "its signature does not hold", assumed=not arrived)


def path_is_decoded(endpoint: Endpoint) -> Answer:
    status = endpoint.status("/%77ebhook")
    return fitting(f"/%77ebhook: {status}", assumed=status == 401)


def path_has_no_stage(endpoint: Endpoint) -> Answer:
    plain, deeper = endpoint.status("/webhook"), endpoint.status("/base/webhook")
    return required(f"/webhook: {plain}, /base/webhook: {deeper}", holds=plain == deeper == 401)


def hec_path(endpoint: Endpoint) -> Answer:
    status = endpoint.status("/services/collector/event")
    says = {401: "401: opened by AcceptHec", 404: "404: AcceptHec is not set on this stack"}.get(status, str(status))
    return Answer(says, Fit.ASSUMED if status in {401, 404} else Fit.CONTRADICTION)


PROBES: tuple[Probe[Endpoint], ...] = (
    Probe(
        "body-encoding",
        "Which content types arrive as text, which as base64?",
        "text/*, application/json|xml|javascript as text",
        encoding_by_content_type,
    ),
    Probe("gzip-as-text", "Does gzip under text/plain survive?", "no", gzip_under_text),
    Probe("not-utf8", "Does text that is not UTF-8 survive?", "no; it is refused", text_that_is_not_utf8),
    Probe("raw-path", "Does rawPath arrive decoded?", "yes", path_is_decoded),
    Probe("stage-in-path", "Is rawPath free of the stage?", "yes", path_has_no_stage),
    Probe("hec-path", "Do Splunk's paths reach the function?", "yes", hec_path),
)
