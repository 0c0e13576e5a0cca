"""Where an operator's own partners are: compiled descriptors in a folder that travels with the layer."""

import json
from collections.abc import Mapping
from pathlib import Path

from trailhook.errors import SettingsError

OWN = Path(__file__).parent / "partners" / "own"


def own_files(folder: Path = OWN) -> Mapping[str, Path]:
    """The compiled descriptors by their partners' names."""
    return {file.stem: file for file in sorted(folder.glob("*.json"))}


def own_source(partner: str, folder: Path = OWN) -> str | None:
    """The source of an own partner's channel; None if there is no such partner. Raises SettingsError."""
    file = own_files(folder).get(partner)
    try:
        return str(json.loads(file.read_text(encoding="utf-8"))["source"]) if file else None
    except (ValueError, KeyError, TypeError) as error:
        raise SettingsError(f"{partner}.json is not a compiled descriptor: run `trailhook compile` again") from error
