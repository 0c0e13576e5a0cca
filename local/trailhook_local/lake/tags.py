"""Tags of channels and event data stores: up to 50 keys a resource."""

from collections.abc import Mapping, Sequence
from typing import Final

from trailhook_local.lake import errors
from trailhook_local.lake.resources import Channel, Document, EventDataStore, Registry

MAX_TAGS: Final = 50
MAX_LISTED_RESOURCES: Final = 20


def merged(existing: Mapping[str, str], added: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """`existing` with `added` laid over; raises for keys given twice, reserved keys and a 51st key."""
    keys = [tag["Key"] for tag in added]
    if len(set(keys)) != len(keys):
        raise errors.InvalidTagParameterException("A tag key is given twice.")
    if any(key.lower().startswith("aws:") for key in keys):
        raise errors.InvalidTagParameterException("Tag keys that begin with aws: are reserved.")
    result = {**existing, **{tag["Key"]: tag.get("Value", "") for tag in added}}
    if len(result) > MAX_TAGS:
        raise errors.TagsLimitExceededException(
            f"A resource has at most {MAX_TAGS} tags; this would make {len(result)}."
        )
    return result


def listed(tags: Mapping[str, str]) -> list[Document]:
    return [{"Key": key, "Value": value} if value else {"Key": key} for key, value in tags.items()]


class Tags:
    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def add_tags(self, request: Document) -> Document:
        resource = self._resource(request["ResourceId"])
        resource.tags = merged(resource.tags, request["TagsList"])
        self._registry.save(resource)
        return {}

    def list_tags(self, request: Document) -> Document:
        ids = request["ResourceIdList"]
        if len(ids) > MAX_LISTED_RESOURCES:
            raise errors.InvalidParameterException(f"At most {MAX_LISTED_RESOURCES} resources a call.")
        try:
            return {
                "ResourceTagList": [{"ResourceId": id_, "TagsList": listed(self._resource(id_).tags)} for id_ in ids]
            }
        except errors.ChannelNotFoundException as error:  # which ListTags does not have
            raise errors.ResourceNotFoundException(str(error)) from error

    def remove_tags(self, request: Document) -> Document:
        resource = self._resource(request["ResourceId"])
        for tag in request["TagsList"]:
            if "Value" not in tag or resource.tags.get(tag["Key"]) == tag["Value"]:
                resource.tags.pop(tag["Key"], None)
        self._registry.save(resource)
        return {}

    def _resource(self, arn: str) -> Channel | EventDataStore:
        if not arn.startswith("arn:"):
            raise errors.CloudTrailARNInvalidException(f"{arn} is not an ARN.")
        if ":channel/" in arn:
            return self._registry.channel(arn)
        if ":eventdatastore/" in arn:
            return self._registry.active_store(arn)
        raise errors.ResourceTypeNotSupportedException("This Lake keeps tags of channels and event data stores only.")
