"""The registry of partners: one line each. Adding one touches its file, this line, its fixtures and its page."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from trailhook.errors import SettingsError
from trailhook.partner import Options, Partner
from trailhook.partners import custom, github, okta

REGISTRY: Mapping[str, Callable[[Options], Partner]] = MappingProxyType(
    {
        "custom": custom.partner,
        "github": github.partner,
        "okta": okta.partner,
    }
)


def load_partner(name: str, options: Options) -> Partner:
    """The partner with that name. Raises SettingsError, naming those that there are."""
    if name not in REGISTRY:
        raise SettingsError(f"PARTNER={name!r} is not one of: {', '.join(sorted(REGISTRY))}")
    return REGISTRY[name](options)


def load_partners(options: Options) -> Mapping[str, Partner]:
    """Every partner, by name."""
    return MappingProxyType({name: make(options) for name, make in REGISTRY.items()})
