"""The way back: dead letters and quarantined events are sent to the delivery queue again."""
