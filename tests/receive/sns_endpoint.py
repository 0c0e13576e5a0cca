"""The partner cloudstoragesecurity's endpoint as receive serves it, over an Amazon SNS in memory."""

from collections.abc import Mapping
from typing import Any

from tests.fakes import MemoryClock, MemoryFetcher, MemorySecretStore, MemorySender
from tests.receive.senders import NOW, RECEIVED_AT, api_gateway_event
from tests.receive.sns_sender import CERTIFICATE_URL, HEADERS, TOPIC, certificate

from trailhook.gateway import Response
from trailhook.https import Fetched
from trailhook.partner import Options
from trailhook.partners import cloudstoragesecurity
from trailhook.receive import Receiver
from trailhook.webhook_secret import WebhookSecret

OTHER_TOPIC = TOPIC + "2"


class Endpoint:
    """The partner's endpoint as receive serves it, over an SNS in memory."""

    def __init__(self, secret: str = TOPIC, pem: bytes | None = None) -> None:
        self.fetcher = MemoryFetcher({CERTIFICATE_URL: Fetched(200, pem or certificate())})
        self.sender = MemorySender()
        self.store = MemorySecretStore()
        self.store.put(secret, at=0)
        secret_versions = WebhookSecret(self.store, grace_hours=24, now=MemoryClock(NOW).now)
        partner = cloudstoragesecurity.partner(Options(), self.fetcher)
        self.receiver = Receiver(partner, secret_versions, self.sender)
        self.log: Mapping[str, Any] = {}

    def post(self, body: bytes | str, headers: Mapping[str, str] = HEADERS, received_at: int = RECEIVED_AT) -> Response:
        """The answer; what is queued is what got 202."""
        before = len(self.sender.messages)
        answer = self.receiver.answer(api_gateway_event(body, headers, received_at=received_at))
        self.log = answer.log
        assert (len(self.sender.messages) > before) is (answer.response.status == 202)
        return answer.response

    def refuses(self, body: bytes | str, because: str, headers: Mapping[str, str] = HEADERS) -> bool:
        """Whether the answer is 401, for this reason and none that an earlier check would give."""
        return self.post(body, headers).status == 401 and because in self.log["refused"]
