"""What every test shares: how hypothesis searches."""

import os

from hypothesis import settings

# Machines are shared and slow at times, so no example has a deadline. CI repeats the same examples, so that a failure
# there is the change's; `make check` asks for a quick look, `make nightly` for a wide one, always anew.
settings.register_profile("default", deadline=None, max_examples=50)
settings.register_profile("ci", deadline=None, max_examples=50, derandomize=True)
settings.register_profile("quick", deadline=None, max_examples=10)
settings.register_profile("nightly", deadline=None, max_examples=5_000)
settings.load_profile(os.environ.get("TRAILHOOK_SEARCH") or ("ci" if os.environ.get("CI") else "default"))
