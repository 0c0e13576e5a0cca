"""`trailhook env`: the variables that point the AWS CLI and SDKs at the local stack."""

import shlex
from pathlib import Path

import click

from trailhook_local.cli.place import STATE, failures
from trailhook_local.stack.status import read_status


@click.command("env", short_help="Print the AWS CLI's variables for the local stack.")
@STATE
def env_command(state: Path) -> None:
    """Print the variables that point the AWS CLI and SDKs at the running stack: eval "$(trailhook env)"."""
    with failures():
        status = read_status(state)
    for name, value in status.endpoints.environment().items():
        # A shell runs what is printed here, and somebody else may have written what the folder holds.
        click.echo(f"export {name}={shlex.quote(value)}")
