"""The registry of partners: one line each. Adding one touches its file, this line, its fixtures and its page.

Beside it, a folder for an operator's own: a compiled descriptor in `own/` is a partner without a line here.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType

from trailhook.descriptor import Descriptor
from trailhook.errors import SettingsError
from trailhook.own_partners import OWN, own_files
from trailhook.partner import Options, Partner
from trailhook.partners import custom, github, okta

FOLDER = Path(__file__).parent


def described(name: str, options: Options) -> Partner:
    """A partner whose file is a descriptor; it is read when somebody asks for the partner."""
    return Descriptor.read(FOLDER / f"{name}.json").partner(options)


REGISTRY: Mapping[str, Callable[[Options], Partner]] = MappingProxyType(
    {
        "atlassian": partial(described, "atlassian"),
        "auth0": partial(described, "auth0"),
        "cloudflare": partial(described, "cloudflare"),
        "crowdstrike": partial(described, "crowdstrike"),
        "custom": custom.partner,
        "cyberark": partial(described, "cyberark"),
        "github": github.partner,
        "gitlab": partial(described, "gitlab"),
        "kong": partial(described, "kong"),
        "launchdarkly": partial(described, "launchdarkly"),
        "netskope": partial(described, "netskope"),
        "okta": okta.partner,
        "onelogin": partial(described, "onelogin"),
        "onepassword": partial(described, "onepassword"),
        "pagerduty": partial(described, "pagerduty"),
        "slack": partial(described, "slack"),
        "snyk": partial(described, "snyk"),
        "terraform": partial(described, "terraform"),
        "wiz": partial(described, "wiz"),
        "zoom": partial(described, "zoom"),
    }
)


def load_partner(name: str, options: Options, own: Path = OWN) -> Partner:
    """The partner with that name. Raises SettingsError, naming those that there are."""
    partners = Partners(options, own)
    if name not in partners:
        raise SettingsError(f"PARTNER={name!r} is not one of: {', '.join(partners)}")
    return partners[name]


def load_partners(options: Options, own: Path = OWN) -> Mapping[str, Partner]:
    """Every partner, by name."""
    return Partners(options, own)


class Partners(Mapping[str, Partner]):
    """Every partner by name, each made when it is first asked for: a stack has one, seldom two."""

    def __init__(self, options: Options, own: Path = OWN) -> None:
        self._options = options
        self._own = own_files(own)
        self._made: dict[str, Partner] = {}

    def __getitem__(self, name: str) -> Partner:
        if name not in self._made:
            self._made[name] = self._make(name)
        return self._made[name]

    def __contains__(self, name: object) -> bool:
        return name in REGISTRY or name in self._own

    def __iter__(self) -> Iterator[str]:
        return iter(sorted({*REGISTRY, *self._own}))

    def __len__(self) -> int:
        return len({*REGISTRY, *self._own})

    def _make(self, name: str) -> Partner:
        if name in REGISTRY:
            return REGISTRY[name](self._options)
        return Descriptor.read(self._own[name]).partner(self._options)
