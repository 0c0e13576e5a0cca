"""`trailhook send`: a file as a delivery, signed as its partner would."""

import secrets as random_secrets
import sys
from pathlib import Path
from typing import IO

import click
import urllib3
from click.core import ParameterSource
from urllib3.exceptions import HTTPError

from trailhook_local.cli.failure import Failure
from trailhook_local.cli.headers import read_headers
from trailhook_local.cli.partners import PartnerName
from trailhook_local.cli.place import STATE, failures
from trailhook_local.post import post
from trailhook_local.screen import printable
from trailhook_local.signing import SIGNERS, sign_standard_webhooks
from trailhook_local.stack.status import read_status


@click.command("send", short_help="Sign a file as a partner would and POST it.")
@click.argument("partner", type=PartnerName())
@click.argument("file", type=click.File("rb"))
@STATE
@click.option("--event", help="GitHub only: the X-GitHub-Event. Without it the file holds audit-log entries.")
@click.option("--standard-webhooks", is_flag=True, help="Sign as a forwarder does, under Standard Webhooks.")
@click.option("--content-type", default="application/json", show_default=True)
@click.option("--header", "-H", "headers", multiple=True, help="A further header, as 'Name: value'.")
@click.option("--url", help="POST there, with --secret, instead of to the running local stack.")
@click.option(
    "--secret",
    envvar="TRAILHOOK_SECRET",
    help="The webhook secret of --url; or set TRAILHOOK_SECRET, which no list of processes shows. "
    "Without --url: a secret to sign with instead of the local stack's own.",
)
def send_command(
    partner: str,
    file: IO[bytes],
    state: Path,
    event: str | None,
    standard_webhooks: bool,
    content_type: str,
    headers: tuple[str, ...],
    url: str | None,
    secret: str | None,
) -> None:
    """Sign FILE (- for standard input) as PARTNER would, POST it, and print the answer.

    A partner's proof that cannot be made here is replaced by Standard Webhooks, which every endpoint takes.
    """
    further = read_headers(headers)
    if any(header.lower() == "content-type" for header in further):
        raise click.UsageError("name another Content-Type with --content-type, or two would be sent")
    own = _own_headers(partner, event, content_type)
    url, secret, name = _endpoint_of(partner, state, url, secret)
    signer = sign_standard_webhooks if standard_webhooks else SIGNERS.get(name)
    if signer is None:
        click.echo(f"signed under Standard Webhooks: the proof of {name} cannot be made here", err=True)
        signer = sign_standard_webhooks
    if not secret:
        raise click.UsageError(
            "the secret is missing: give it with --secret or, beside --url, in the variable TRAILHOOK_SECRET"
        )
    body = file.read()
    own |= signer(secret, body)
    if twice := sorted({header.lower() for header in own} & {header.lower() for header in further}):
        raise click.UsageError(f"{twice[0]} is made here, from FILE, --secret and --event: leave out that -H")
    try:
        reply = post(urllib3.PoolManager(), url, body, {**further, **own})
    except (HTTPError, ValueError) as error:
        raise Failure(f"{url} could not be asked: {error}") from error
    click.echo("\n".join(map(printable, f"{reply.status} {reply.body}".rstrip().splitlines())))
    sys.exit(0 if 200 <= reply.status < 300 else 1)


def _own_headers(partner: str, event: str | None, content_type: str) -> dict[str, str]:
    """The headers that are made here, but for the proof."""
    if event and partner != "github":
        raise click.UsageError(f"--event is GitHub's; for a header that {partner} sends say -H 'Name: value'")
    lines = [f"Content-Type: {content_type}"]
    if event:
        lines += [f"X-GitHub-Event: {event}", f"X-GitHub-Delivery: {random_secrets.token_hex(16)}"]
    return dict(read_headers(tuple(lines)))


def _endpoint_of(partner: str, state: Path, url: str | None, secret: str | None) -> tuple[str, str | None, str]:
    """The URL, the secret to sign with, and the partner whose proof is taken there: the local stack's, or as named."""
    if url is None:
        with failures():
            integration = read_status(state).integration(partner)
        # TRAILHOOK_SECRET may belong to another endpoint; what is written in the command does not.
        source = click.get_current_context().get_parameter_source("secret")
        secret = secret if source is ParameterSource.COMMANDLINE else integration.secret
        return f"{integration.url}/webhook", secret, integration.partner
    if not url.startswith(("http://", "https://")):
        raise click.UsageError(f"--url is a whole URL, such as https://…/webhook, not {url!r}")
    if click.get_current_context().get_parameter_source("state") is ParameterSource.COMMANDLINE:
        raise click.UsageError("--state is for the local stack, and --url goes elsewhere: leave out one of them")
    return url, secret, partner
