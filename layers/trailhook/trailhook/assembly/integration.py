"""integration's part: CloudTrail's control plane, for as long as one request takes."""

from collections.abc import Iterator
from contextlib import contextmanager

from trailhook.assembly import client, one_try, session
from trailhook.integration.budget import Budget
from trailhook.integration.control_plane import ControlPlane


@contextmanager
def control_plane(budget: Budget, region: str) -> Iterator[ControlPlane]:
    """CloudTrail, for as long as the invocation works. Retries are the control plane's own, within the budget."""
    connect = min(2.0, budget.call_seconds / 4)
    limits = one_try(connect, budget.call_seconds - connect)
    cloudtrail = client("cloudtrail", limits, session().get_config_variable("region") or region)
    try:
        yield ControlPlane(cloudtrail, budget.work, budget.denials)
    finally:
        cloudtrail.close()
