"""A partner whose mapping refuses every event: the fault that somebody will mend."""

from msgspec.structs import replace
from tests.partners.cases import OPTIONS

from trailhook.audit_event import AuditEvent
from trailhook.delivery import PartnerEvent
from trailhook.errors import UnmappableEvent
from trailhook.partner import Partner
from trailhook.partners import load_partner


def faulty(name: str) -> dict[str, Partner]:
    def refuse(_event: PartnerEvent) -> AuditEvent:
        raise UnmappableEvent("MappingFailed", "The mapping did not foresee this form")

    return {name: replace(load_partner(name, OPTIONS), to_audit_event=refuse)}
