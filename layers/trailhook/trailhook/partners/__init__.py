"""The registry of partners: one line each. Adding one touches its file, this line, its fixtures and its page.

Beside it, a folder for an operator's own: a compiled descriptor in `own/` is a partner without a line here.
"""

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from types import MappingProxyType

from trailhook.errors import SettingsError
from trailhook.own_partners import OWN, own_files
from trailhook.partner import Options, Partner

FOLDER = Path(__file__).parent


def written(name: str, options: Options) -> Partner:
    """A partner whose file is Python; it is imported when somebody asks for the partner."""
    partner: Partner = import_module(f"{__name__}.{name}").partner(options)
    return partner


def described(name: str, options: Options) -> Partner:
    """A partner whose file is a descriptor; it is read when somebody asks for the partner."""
    return _read(FOLDER / f"{name}.json", options)


def _read(file: Path, options: Options) -> Partner:
    # A stack whose partner is written in Python does not load what descriptors are read with.
    from trailhook.descriptor import Descriptor  # noqa: PLC0415

    return Descriptor.read(file).partner(options)


REGISTRY: Mapping[str, Callable[[str, Options], Partner]] = MappingProxyType(
    {
        "atlassian": described,
        "auth0": described,
        "cloudflare": described,
        "cloudstoragesecurity": written,
        "crowdstrike": described,
        "custom": written,
        "cyberark": described,
        "github": written,
        "gitlab": described,
        "kong": described,
        "launchdarkly": described,
        "netskope": described,
        "okta": written,
        "onelogin": described,
        "onepassword": described,
        "pagerduty": described,
        "slack": described,
        "snyk": described,
        "terraform": described,
        "wiz": described,
        "zoom": described,
    }
)


def load_partner(name: str, options: Options, own: Path = OWN) -> Partner:
    """The partner with that name. Raises SettingsError, naming those that there are."""
    partners = Partners(options, own)
    if name not in partners:
        raise SettingsError(f"PARTNER={name!r} is not one of: {', '.join(partners)}")
    return partners[name]


class Partners(Mapping[str, Partner]):
    """Every partner by name, each made when it is first asked for: a stack has one, seldom two."""

    def __init__(self, options: Options, own: Path = OWN) -> None:
        self._options = options
        self._own = own_files(own)
        self._made: dict[str, Partner] = {}

    def __getitem__(self, name: str) -> Partner:
        if name not in self._made:
            make = REGISTRY.get(name)
            self._made[name] = make(name, self._options) if make else _read(self._own[name], self._options)
        return self._made[name]

    def __contains__(self, name: object) -> bool:
        return name in REGISTRY or name in self._own

    def __iter__(self) -> Iterator[str]:
        return iter(sorted({*REGISTRY, *self._own}))

    def __len__(self) -> int:
        return len({*REGISTRY, *self._own})
