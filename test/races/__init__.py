"""Races: interleavings of one process step by step, and real processes that are killed."""

#: where in a save a writer may be killed
STEPS = (
    "before the write",
    "after the write",
    "after the hold",
    "after the commit",
    "during the release",
    "after the release",
)
