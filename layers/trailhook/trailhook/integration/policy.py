"""The channel's resource policy: who else may call PutAuditEvents on it, or none.

AWS page: "AWS CloudTrail resource-based policy examples", CloudTrail User Guide. Without one only the owner may call.
"""

import json

from trailhook.integration.properties import Integration
from trailhook.integration.request import Place


def resource_policy(wanted: Integration, place: Place, channel_arn: str) -> str | None:
    """The policy document, or None where no principal is named."""
    if not wanted.principals:
        return None
    statement = {
        "Sid": "DeliverEventsThroughChannel",
        "Effect": "Allow",
        "Principal": {"AWS": [f"arn:{place.partition}:iam::{account}:root" for account in wanted.principals]},
        "Action": "cloudtrail-data:PutAuditEvents",
        "Resource": channel_arn,
    }
    if wanted.external_id:
        statement["Condition"] = {"StringEquals": {"cloudtrail:ExternalId": wanted.external_id}}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def same_policy(one: str | None, other: str | None) -> bool:
    """Whether two policies say the same; formatting does not count."""
    if one is None or other is None:
        return one is other
    try:
        return bool(json.loads(one) == json.loads(other))
    except ValueError:
        return False
