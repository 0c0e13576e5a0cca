"""Which integration a command is about, and what it says if that is not clear or cannot be asked."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from botocore.exceptions import BotoCoreError
from click.core import ParameterSource

from trailhook import errors
from trailhook_local.aws_session import REFUSALS, aws, explain, remedy
from trailhook_local.cli.failure import Failure
from trailhook_local.place import Place, PlaceError, place_of_stack, place_on_laptop
from trailhook_local.stack.errors import StackError
from trailhook_local.stack.stack import DEFAULT_STATE


def state_option(told: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """The option that names the folder of a local stack; `told` is its help."""
    return click.option(
        "--state",
        type=click.Path(path_type=Path, file_okay=False),
        default=DEFAULT_STATE,
        show_default=True,
        help=told,
    )


STATE = state_option("Folder that a running stack keeps its state in.")


def place_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options that name an integration."""
    for option in (
        state_option("With --local: the folder that the running stack keeps its state in."),
        click.option(
            "--region",
            envvar="AWS_REGION",
            help="The stack's Region; by default the one that is configured.",
        ),
        click.option("--local", help="An integration of the stack that `trailhook serve` runs here."),
        click.option("--stack", help="The CloudFormation stack; its queues and bucket are looked up."),
    ):
        command = option(command)
    return command


def named_place(*, stack: str | None, local: str | None, region: str | None, state: Path) -> Place:
    """Where the named integration keeps what it keeps."""
    if bool(stack) == bool(local):
        raise click.UsageError("name one place: --stack, or --local")
    refuse_what_does_not_go(local)
    return place_on_laptop(state, local) if local else place_of_stack(aws(region), stack or "")


def refuse_what_does_not_go(local: str | None) -> None:
    """Refuse an option that would be ignored; AWS_REGION may be set for other commands."""
    idle, why = ("region", "does not go with --local") if local else ("state", "goes with --local only")
    if click.get_current_context().get_parameter_source(idle) is ParameterSource.COMMANDLINE:
        raise click.UsageError(f"--{idle} {why}")


_OF_THIS_LAPTOP = "//127.0.0.1:"
"""In botocore's message, which names the endpoint that it cannot reach."""


@contextmanager
def failures(go_on: Callable[[], str] = str, failure: type[Failure] = Failure) -> Iterator[None]:
    """Turns whatever is raised into a message, followed by what `go_on` says; Ctrl-C, too.

    What reads an answer of AWS may raise anything: its status can be 200 and its body have another form. An OSError
    goes through: it comes from the output, and `ended_by_a_full_disk` reports it.
    """
    try:
        yield
    except (errors.TrailhookError, StackError, PlaceError, *REFUSALS) as error:
        raise failure(f"{explain(error)}{_advice(error)}{go_on()}") from error
    except KeyboardInterrupt as error:
        raise failure(f"interrupted{go_on()}") from error
    except (click.ClickException, OSError):
        raise
    except Exception as error:
        told = f"this was not foreseen ({errors.place_of(error)}): run it again; if it happens again, please report it"
        raise failure(f"{told}{go_on()}") from error


def _advice(error: Exception) -> str:
    if told := remedy(error):
        return f"\n{told[0].upper()}{told[1:]}"
    if isinstance(error, BotoCoreError) and _OF_THIS_LAPTOP in str(error):
        return "\nIf that is the local stack, look at the logs of `trailhook serve`, and start it again"
    return ""
