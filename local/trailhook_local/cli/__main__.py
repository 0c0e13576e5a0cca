"""Where `trailhook` begins, or `python -m trailhook_local.cli`: the commands take a second to import."""

import signal

from trailhook_local.cli.streams import prepare_streams


def main() -> None:
    """Run the command line. A Ctrl-C that comes while it is imported ends the process at once and without a word.

    As an exception it would be raised in the middle of somebody's import, and shown with all of its traceback.
    """
    prepare_streams()
    former = signal.getsignal(signal.SIGINT)
    if former is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from trailhook_local.cli.main import main as trailhook  # noqa: PLC0415 - this is what takes a second

    signal.signal(signal.SIGINT, former)
    trailhook()


if __name__ == "__main__":
    main()
