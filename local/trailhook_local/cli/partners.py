"""A partner as it is named on the command line: a built-in one, or a compiled one of the operator's own."""

from typing import Any

import click

from trailhook.integration.catalogue import PARTNERS as CATALOGUE
from trailhook.own_partners import own_files
from trailhook.partners import REGISTRY

BY_ITSELF = "delivers by itself, to a channel in AWS"


class PartnerName(click.ParamType[str]):
    """The name of a partner that there is."""

    name = "partner"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        known = sorted({*REGISTRY, *own_files()})
        if value in CATALOGUE and value not in known:
            self.fail(f"{value} {BY_ITSELF}: there is no endpoint for it here", param, ctx)
        if value not in known:
            self.fail(
                f"{value!r} is not one of: {', '.join(known)}. A partner of your own becomes one once "
                "`trailhook compile` has read its descriptor",
                param,
                ctx,
            )
        return str(value)
