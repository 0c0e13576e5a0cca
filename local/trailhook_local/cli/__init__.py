"""The command line, `trailhook`."""
