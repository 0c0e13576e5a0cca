"""PutAuditEvents requests to one channel, whose bodies are encoded already.

botocore says where they go and signs them, and urllib3 sends them, as it does for botocore. What botocore's client does
beside that, checking and encoding each member of each event and taking the answer apart, costs more than all the rest.
Requests go to the URL's own connection pool, which need not be looked for each time.
"""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Protocol

import urllib3
from botocore.awsrequest import AWSRequest
from botocore.httpsession import ProxyConfiguration, get_cert_path
from botocore.utils import get_environ_proxies
from msgspec import Struct
from urllib3.util.ssl_ import create_urllib3_context

from trailhook.errors import NoAnswer

if TYPE_CHECKING:
    # The stubs are for development and not in the layer.
    from types_boto3_cloudtrail_data.client import CloudTrailDataServiceClient

_OPERATION = "PutAuditEvents"
_ONCE = urllib3.Retry(total=False, redirect=False)
_BEFORE_CALL = f"before-call.cloudtrail-data.{_OPERATION}"


class HttpAnswer(Struct, frozen=True):
    """An HTTP answer, whatever it says."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class PutAuditEvents(Protocol):
    """Where requests are sent."""

    def post(self, body: bytes) -> HttpAnswer:
        """Send a request's body. Raises NoAnswer, and botocore's errors where it cannot be signed."""


class SignedPutAuditEvents:
    """The service. Threads may share it; `client` says how long an answer may take, and how many connections to keep.

    `external_id` goes along where the channel's policy asks for one; `ca_bundle` are the authorities to trust, if not
    botocore's own. Raises ParamValidationError for an ARN or external id that botocore does not take, and OSError for a
    bundle that cannot be read.
    """

    def __init__(
        self,
        client: "CloudTrailDataServiceClient",
        channel_arn: str,
        external_id: str | None = None,
        *,
        ca_bundle: str | None = None,
    ) -> None:
        self._client = client  # The signer lives as long as its client.
        self._url, self._headers, self._context, self._signer = _planned(client, channel_arn, external_id)
        url = urllib3.util.parse_url(self._url)
        config: Any = client.meta.config
        settings: dict[str, Any] = {
            "timeout": urllib3.Timeout(connect=config.connect_timeout, read=config.read_timeout),
            "maxsize": config.max_pool_connections,
        }
        if url.scheme == "https":
            # One for all connections: reading the authorities takes 40 ms.
            context = settings["ssl_context"] = create_urllib3_context()
            context.load_verify_locations(ca_bundle or get_cert_path(verify=True))
        proxies = ProxyConfiguration(get_environ_proxies(self._url))
        pools: urllib3.PoolManager
        if proxy := proxies.proxy_url_for(self._url):
            pools = urllib3.ProxyManager(proxy, proxy_headers=proxies.proxy_headers_for(proxy), **settings)
        else:
            pools = urllib3.PoolManager(**settings)
        self._pool = pools.connection_from_url(self._url)
        # A proxy is told the whole URL, unless it only opens the connection through which TLS is spoken.
        self._target = self._url if proxy and url.scheme == "http" else url.request_uri

    def post(self, body: bytes) -> HttpAnswer:
        request = AWSRequest("POST", self._url, dict(self._headers), body)
        request.context.update(self._context)
        self._signer.sign(_OPERATION, request)
        try:
            answer = self._pool.urlopen(
                "POST", self._target, body, dict(request.headers.items()), _ONCE, redirect=False, assert_same_host=False
            )
        except urllib3.exceptions.HTTPError as error:
            raise NoAnswer(type(error).__name__) from error
        return HttpAnswer(answer.status, answer.headers, answer.data)


def _planned(
    client: "CloudTrailDataServiceClient", channel_arn: str, external_id: str | None
) -> tuple[str, Mapping[str, str], Mapping[str, Any], Any]:
    """URL, headers, context and signer of a call, as botocore announces them before it; the call itself is not made.

    Raises ParamValidationError.
    """
    told: list[tuple[Mapping[str, Any], Mapping[str, Any], Any]] = []

    def instead(params: Mapping[str, Any], context: Mapping[str, Any], request_signer: Any, **_: Any) -> Any:
        told.append((params, context, request_signer))
        return SimpleNamespace(status_code=200), {}

    client.meta.events.register_first(_BEFORE_CALL, instead)
    try:
        target = {"channelArn": channel_arn} | ({"externalId": external_id} if external_id else {})
        client.put_audit_events(auditEvents=[{"id": "-", "eventData": "-"}], **target)
    finally:
        client.meta.events.unregister(_BEFORE_CALL, instead)
    [(params, context, signer)] = told
    return params["url"], params["headers"], context, signer
