"""One request of CloudFormation, fulfilled or failed."""

from trailhook.errors import IntegrationError
from trailhook.integration.budget import Budget
from trailhook.integration.control_plane import ControlPlane
from trailhook.integration.deploy import Deployment
from trailhook.integration.properties import parse_properties
from trailhook.integration.request import Request
from trailhook.integration.response import Answer
from trailhook.integration.undo import Undo
from trailhook.integration.withdraw import Withdrawal


def fulfil(request: Request, plane: ControlPlane, budget: Budget) -> Answer:
    """Do what CloudFormation asks for. On IntegrationError, what the request made is taken back already."""
    if request.type == "Delete":
        with Undo(plane.until(budget.undo)) as undo:
            return Withdrawal(plane.until(budget.withdrawal), undo, request, budget.patience).carry_out()
    if request.type not in {"Create", "Update"}:
        raise IntegrationError(f"RequestType {request.type!r} is none of Create, Update and Delete.")
    wanted = parse_properties(request.properties, request.place)
    with Undo(plane.until(budget.undo)) as undo:
        return Deployment(plane, undo, request, wanted).carry_out()


def failure(request: Request, error: Exception) -> Answer:
    """The answer to a request that failed: why, and what could not be taken back."""
    said = (
        str(error)
        if isinstance(error, IntegrationError)
        else f"A fault of Trailhook's own, {type(error).__name__}: {error}"
    )
    reason = " ".join([said, *getattr(error, "__notes__", ())])
    return Answer(succeeded=False, physical_id=request.failed_id, reason=reason)
