"""`trailhook map` and `trailhook compile`: trying a descriptor on samples, and making what the functions load."""

import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from trailhook.audit_event import AuditEvent
from trailhook.delivery import Delivery, PartnerEvent
from trailhook.descriptor import Descriptor
from trailhook.known_partners import OWN, PARTNERS
from trailhook.mapping import Mapper, Withheld
from trailhook.partner import Options
from trailhook.partners import FOLDER, REGISTRY, load_partner
from trailhook.redaction import read_paths
from trailhook_local.cli.failure import Failure
from trailhook_local.cli.headers import read_headers
from trailhook_local.cli.partners import BY_ITSELF
from trailhook_local.descriptors.compiler import DescriptorError, compile_file, compiled_text
from trailhook_local.descriptors.explaining import explanation
from trailhook_local.screen import json_text

EXAMPLE_ACCOUNT = "111122223333"


class DescriptorFailure(Failure):
    """What is wrong with a descriptor, one line each, as compilers print it."""

    def show(self, file: Any = None) -> None:
        click.echo(self.message, file=file, err=file is None)


def map_sample(descriptor: str, body: bytes, headers: Mapping[str, str], redact: tuple[str, ...]) -> bool:
    """Print what each event of the body becomes, or why it is refused. True if none is refused."""
    read = _descriptor(descriptor)
    options = Options(redact=redact)
    partner = read.partner(options) if read else load_partner(descriptor, options)
    delivery = Delivery(
        partner=partner.name,
        id="sample",
        request_id="sample",
        received_at=int(time.time() * 1000),
        source_ip="192.0.2.1",
        proof="sample",
        headers=partner.kept_headers({name.lower(): value for name, value in headers.items()}),
        signed=frozenset(),
        body=body,
    )
    complete = True
    mapper = Mapper({partner.name: partner})
    count, events = mapper.take_apart(delivery)
    for event in events:
        found = mapper.map(event)
        why = explanation(read, event) if read else {}
        click.echo(json_text(_outcome(event, found) | why, indent=2))
        complete = complete and isinstance(found, AuditEvent)
    if not count:
        click.echo("there is no event in this sample", err=True)
    return complete


def compile_to(files: tuple[Path, ...], folder: Path) -> None:
    """Write each descriptor's compiled form into the folder."""
    for file in files:
        spec = _compiled(file)
        if spec["name"] in PARTNERS and folder.resolve() == OWN.resolve():
            raise Failure(f"{file}: a partner named {spec['name']} is built in; choose another name")
        target = folder / f"{spec['name']}.json"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _replace(target, compiled_text(spec))
        except OSError as error:
            raise Failure(f"cannot write {target} ({error.strerror}); name another folder with --into") from error
        click.echo(f"{file} -> {target}")


def _replace(target: Path, text: str) -> None:
    """The whole text, or what was there before: with half of it, the next deployment would forward nothing."""
    draft = target.with_suffix(".tmp")
    try:
        draft.write_text(text, encoding="utf-8")
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


def _descriptor(name: str) -> Descriptor | None:
    """The descriptor in a YAML file, or of a built-in partner; None for a partner that is written in Python."""
    if name not in REGISTRY:
        return Descriptor.of(_compiled(Path(name)))
    compiled = FOLDER / f"{name}.json"
    return Descriptor.read(compiled) if compiled.exists() else None


def _compiled(file: Path) -> dict[str, Any]:
    try:
        return compile_file(file)
    except DescriptorError as error:
        raise DescriptorFailure(str(error)) from error
    except OSError as error:
        if str(file) in PARTNERS:
            raise click.UsageError(
                f"{file} {BY_ITSELF}, in CloudTrail's own form: its events need no mapping"
            ) from error
        known = ", ".join(sorted(REGISTRY))
        raise click.UsageError(
            f"{file} cannot be read ({error.strerror}), nor is it one of: {known}. "
            "Name a descriptor's YAML file or one of these"
        ) from error


def _outcome(event: PartnerEvent, found: AuditEvent | Withheld) -> dict[str, Any]:
    if isinstance(found, AuditEvent):
        return {"id": found.id, "eventData": json.loads(found.event_data(EXAMPLE_ACCOUNT))}
    shown = event.original[:200].decode("utf-8", "replace")
    return {"refused": found.outcome.code, "reason": found.outcome.reason, "uid": found.uid, "event": shown}


@click.command("map", short_help="Show what the events of a sample become.")
@click.argument("descriptor")
@click.argument("sample", type=click.File("rb"))
@click.option("--header", "-H", "headers", multiple=True, help="A header of the delivery, as 'Name: value'.")
@click.option("--redact", default="", help="Members or paths to redact besides the defaults, separated by commas.")
def map_command(descriptor: str, sample: Any, headers: tuple[str, ...], redact: str) -> None:
    """Print what each event in SAMPLE (- for standard input) becomes.

    DESCRIPTOR is a YAML file, or the name of a built-in partner. The exit status is 1 if an event is refused.
    """
    try:
        rules = read_paths(redact)
    except ValueError as error:
        raise click.UsageError(f"--redact: {error}") from error
    sys.exit(0 if map_sample(descriptor, sample.read(), read_headers(headers), rules) else 1)


@click.command("compile", short_help="Compile descriptors to what the functions load.")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--into",
    type=click.Path(path_type=Path, file_okay=False),
    default=OWN,
    help="Folder of the compiled files; by default the one of your own partners in the layer.",
)
def compile_command(files: tuple[Path, ...], into: Path) -> None:
    """Check descriptors (YAML) and compile them to what the functions load."""
    compile_to(files, into)
