"""A partner as it is named on the command line: a built-in one, or a compiled one of the operator's own."""

from typing import Any

import click

from trailhook.known_partners import PARTNERS
from trailhook.partner import Options
from trailhook.partners import Partners

BY_ITSELF = "delivers by itself, to a channel in AWS"


class PartnerName(click.ParamType[str]):
    """The name of a partner that there is."""

    name = "partner"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        known = list(Partners(Options()))
        if value in PARTNERS and value not in known:
            self.fail(f"{value} {BY_ITSELF}: there is no endpoint for it here", param, ctx)
        if value not in known:
            self.fail(
                f"{value!r} is not one of: {', '.join(known)}. A partner of your own becomes one once "
                "`trailhook compile` has read its descriptor",
                param,
                ctx,
            )
        return str(value)
