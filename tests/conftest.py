"""What every test shares: how hypothesis searches."""

import os

from hypothesis import settings

# Machines are shared and slow at times, so no example has a deadline. CI repeats the same examples, so that a failure
# there is the change's; `TRAILHOOK_NIGHTLY=1` searches wide and anew.
settings.register_profile("default", deadline=None, max_examples=50)
settings.register_profile("ci", deadline=None, max_examples=50, derandomize=True)
settings.register_profile("nightly", deadline=None, max_examples=5_000)
settings.load_profile("nightly" if os.environ.get("TRAILHOOK_NIGHTLY") else "ci" if os.environ.get("CI") else "default")
