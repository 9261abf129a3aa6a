"""How often a proof by repetition is repeated: short in every run, long with `--long`."""

from hypothesis import settings

LONG = "long"
LONG_EXAMPLES = 1_000  # where a test says nothing; hypothesis's own default is 100

settings.register_profile(LONG, max_examples=LONG_EXAMPLES, deadline=None)


def run_long() -> None:
    """Make this run a long one; before the test modules are imported."""
    settings.load_profile(LONG)


def is_long() -> bool:
    """Return whether this run is a long one."""
    return settings.get_current_profile_name() == LONG


def times(short: int, long: int) -> int:
    """Return how often to repeat in this run."""
    return long if is_long() else short
