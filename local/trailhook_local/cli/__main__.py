"""Where `trailhook` begins, or `python -m trailhook_local.cli`."""

from trailhook_local.cli.importing import ended_by_ctrl_c
from trailhook_local.cli.streams import ended_by_a_full_disk, prepare_streams


def main() -> None:
    """Import the command line, and run it."""
    prepare_streams()
    with ended_by_ctrl_c():
        from trailhook_local.cli.main import main as trailhook  # noqa: PLC0415 - this is what takes so long
    with ended_by_a_full_disk():
        trailhook()


if __name__ == "__main__":
    main()
