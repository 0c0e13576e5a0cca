"""Whose a channel or an event data store is. Tags set in the Create calls prove it; nothing else does.

The stack id ends in a UUID that a redeployed stack does not keep. A stack name belongs to one living stack of an
account and Region, so what a former stack of the same name and logical id made, and retained, is ours too. Only what
carries this very stack's id, though, can be the leftover of a failed Create.
"""

import hashlib
from collections.abc import Mapping

from msgspec import Struct

OUR_PREFIX = "trailhook:"
STACK_ID = "trailhook:stack-id"
LOGICAL_ID = "trailhook:logical-id"
MADE_BY_CREATE = "trailhook:made-by-create"
"""On a channel that a Create made, or found from a former try; its value is the request's id."""
MADE_BY_UPDATE = "trailhook:made-by-update"
"""On an event data store that an Update made, until CloudFormation has heard of it; its value is the request's id."""
CONFIRMED = "confirmed"
"""The value of MADE_BY_UPDATE from then on, where it cannot be removed."""
KMS_ALIAS = "trailhook:kms-alias"
"""On an event data store that was made with a KMS alias: CloudTrail may tell no more than the key behind it."""
_USER = "trailhook:user:"

Tags = Mapping[str, str]


class Owner(Struct, frozen=True):
    """One custom resource of one stack."""

    stack_id: str
    logical_id: str

    @property
    def tags(self) -> dict[str, str]:
        """The tags that prove ownership; every Create call carries them."""
        return {STACK_ID: self.stack_id, LOGICAL_ID: self.logical_id}

    @property
    def retained_tags(self) -> dict[str, str]:
        """On an event data store that outlived its integration: evidence, and never the leftover of a failed Create.

        They change a tag that is there, so that a resource with fifty can be marked too.
        """
        return {STACK_ID: f"{_lineage(self.stack_id)}/retained"}

    @property
    def user_tag(self) -> dict[str, str]:
        """What an integration leaves on a channel that it shares. The key is its own, the value says whose it is."""
        digest = hashlib.sha256(f"{self.stack_id} {self.logical_id}".encode()).hexdigest()
        return {f"{_USER}{digest[:32]}": self.stack_id}

    @property
    def former_user_tag(self) -> dict[str, str]:
        """What becomes of that tag from the moment when the channel is replaced until the tag is removed."""
        return {key: f"{value}/replaced" for key, value in self.user_tag.items()}

    def made(self, tags: Tags) -> bool:
        """Whether this stack, or a former one of its name, made what carries these tags."""
        return tags.get(LOGICAL_ID) == self.logical_id and _lineage(tags.get(STACK_ID, "")) == _lineage(self.stack_id)

    def made_now(self, tags: Tags) -> bool:
        """Whether this very stack made it."""
        return self.tags.items() <= tags.items()

    def uses(self, tags: Tags) -> bool:
        return self.user_tag.keys() <= tags.keys()

    def used_before(self, tags: Tags) -> bool:
        return self.former_user_tag.items() <= tags.items()

    def other_users(self, tags: Tags) -> list[str]:
        """The names of the stacks that share the channel with these tags, this integration left out."""
        others = [key for key in tags if key.startswith(_USER) and key not in self.user_tag]
        return sorted({_stack_name(tags[key]) for key in others})


def is_unconfirmed(tags: Tags) -> bool:
    """Whether it was made by an Update of which CloudFormation may not have heard."""
    return tags.get(MADE_BY_UPDATE, CONFIRMED) != CONFIRMED


def _lineage(stack_id: str) -> str:
    """`arn:aws:cloudformation:<region>:<account>:stack/<name>`: the stack's id without its UUID."""
    return stack_id.rpartition("/")[0] or stack_id


def _stack_name(stack_id: str) -> str:
    return stack_id.split("/")[1] if stack_id.count("/") >= 2 else stack_id
