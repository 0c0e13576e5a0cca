"""CloudFormation's request to a custom resource.

AWS page: "Custom resource request objects", CloudFormation User Guide. Nothing is checked here: even a request
that makes no sense is owed an answer.
"""

import re
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from trailhook.integration.ownership import Owner

_FAILED = "failed/"
_STACK_ID = re.compile(r"arn:(?P<partition>[^:]+):cloudformation:(?P<region>[^:]+):(?P<account>\d{12}):stack/.+")


class Place(Struct, frozen=True):
    """Where the stack lives, which is where everything it makes has to live."""

    partition: str
    region: str
    account: str

    def arn(self, service: str, resource: str) -> str:
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"

    def holds(self, arn: str) -> bool:
        """Whether the ARN is of this account and Region; an organization's event data stores are listed too."""
        return f":{self.region}:{self.account}:" in arn


class Request(Struct, frozen=True):
    """`physical_id` is None in a Create. The pre-signed `response_url` stays out of every representation."""

    type: str
    request_id: str
    stack_id: str
    logical_id: str
    physical_id: str | None
    properties: Mapping[str, Any]
    old_properties: Mapping[str, Any]
    response_url: str

    def __repr__(self) -> str:
        return f"Request({self.type!r}, {self.request_id!r}, {self.logical_id!r})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("type", self.type), ("request_id", self.request_id), ("logical_id", self.logical_id)]

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> "Request":
        return cls(
            type=str(event.get("RequestType", "")),
            request_id=str(event.get("RequestId", "")),
            stack_id=str(event.get("StackId", "")),
            logical_id=str(event.get("LogicalResourceId", "")),
            physical_id=event.get("PhysicalResourceId"),
            properties=event.get("ResourceProperties") or {},
            old_properties=event.get("OldResourceProperties") or {},
            response_url=str(event.get("ResponseURL", "")),
        )

    @property
    def is_update(self) -> bool:
        return self.type == "Update"

    @property
    def owner(self) -> Owner:
        return Owner(self.stack_id, self.logical_id)

    @property
    def place(self) -> Place:
        match = _STACK_ID.fullmatch(self.stack_id)
        return Place(**match.groupdict()) if match else Place("aws", "", "")

    @property
    def service_timeout(self) -> float | None:
        """The seconds after which CloudFormation gives up, where the template says so."""
        text = str(self.properties.get("ServiceTimeout", "")) if isinstance(self.properties, Mapping) else ""
        return float(text) if re.fullmatch(r"[1-9][0-9]{0,3}", text) else None

    @property
    def channel_arn(self) -> str | None:
        """The channel that the physical id names; None in a Create, and in the Delete after one that failed."""
        return self.physical_id if self.physical_id and ":channel/" in self.physical_id else None

    @property
    def failed_id(self) -> str:
        """The physical id to fail with. A failed Update keeps its id, or CloudFormation would delete what works."""
        return self.physical_id or f"{_FAILED}{self.logical_id}/{self.request_id}"

    @property
    def failed_create(self) -> str | None:
        """The request id of the Create that failed with this physical id; None if none answered so."""
        physical_id = self.physical_id or ""
        return physical_id.rpartition("/")[2] if physical_id.startswith(_FAILED) else None

    def without_url(self, text: str) -> str:
        """`text` without the response URL, whole or in the parts that a library's error may quote."""
        address, _, query = self.response_url.partition("?")
        path = address.partition("://")[2].partition("/")[2]
        for part in (self.response_url, f"{path}?{query}", path, query, *query.split("&")):
            if len(part) > 8:
                text = text.replace(part, "<response URL>")
        return text
