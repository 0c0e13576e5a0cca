"""The partners with an endpoint, each made of its own file, a descriptor or a module, when it is first asked for."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path

from trailhook.errors import SettingsError
from trailhook.known_partners import OWN, PARTNERS, WEBHOOK, own_files
from trailhook.partner import Options, Partner

FOLDER = Path(__file__).parent
REGISTRY = frozenset(name for name, known in PARTNERS.items() if WEBHOOK in known.sources)
"""The names of the built-in ones."""


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
            self._made[name] = self._make(name)
        return self._made[name]

    def _make(self, name: str) -> Partner:
        file = FOLDER / f"{name}.json" if name in REGISTRY else self._own[name]
        if not file.exists():
            partner: Partner = import_module(f"{__name__}.{name}").partner(self._options)
            return partner
        # A stack whose partner is written in Python does not load what descriptors are read with.
        from trailhook.descriptor import Descriptor  # noqa: PLC0415

        return Descriptor.read(file).partner(self._options)

    def __contains__(self, name: object) -> bool:
        return name in REGISTRY or name in self._own

    def __iter__(self) -> Iterator[str]:
        return iter(sorted({*REGISTRY, *self._own}))

    def __len__(self) -> int:
        return len({*REGISTRY, *self._own})
