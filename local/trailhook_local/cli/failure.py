"""What a command says where it failed."""

import click

from trailhook_local.screen import printable


class Failure(click.ClickException):
    """A failure in words that cannot steer the terminal: those of the Lake or of AWS may hold what an event says."""

    def __init__(self, message: str) -> None:
        super().__init__("\n".join(map(printable, message.split("\n"))))
