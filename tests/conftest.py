"""How properties are tried, in all tests that do not say it themselves."""

from __future__ import annotations

import hypothesis

# Each property has been tried many thousand times; `--hypothesis-profile default` tries a hundred again. No deadline:
# on a busy machine an example may take any time.
hypothesis.settings.register_profile("quick", max_examples=25, deadline=None)
hypothesis.settings.load_profile("quick")
