"""`trailhook`: the local stack, its deliveries and its queries from the command line, and the way back in AWS."""

import click

from trailhook import __version__
from trailhook_local.cli.chaos import chaos_command
from trailhook_local.cli.demo import demo_command
from trailhook_local.cli.descriptors import compile_command, map_command
from trailhook_local.cli.env import env_command
from trailhook_local.cli.query import query_command
from trailhook_local.cli.redrive import redrive
from trailhook_local.cli.send import send_command
from trailhook_local.cli.serve import serve_command
from trailhook_local.cli.status import status_command


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """Bring the audit events of any SaaS partner into AWS CloudTrail Lake.

    Only `redrive` and `status` need an AWS account, and only for a stack in AWS.
    """


main.add_command(chaos_command)
main.add_command(compile_command)
main.add_command(demo_command)
main.add_command(env_command)
main.add_command(map_command)
main.add_command(query_command)
main.add_command(redrive)
main.add_command(send_command)
main.add_command(serve_command)
main.add_command(status_command)
