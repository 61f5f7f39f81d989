"""In which order the rows of a batch select units and change bases. The papers define one sample only.

| order | meaning |
|---|---|
| deferred | level by level; what a selection does to its basis happens when the row selects at the next level |
| depth | level by level; it happens at once |
| sample | one sample after the other through all levels; it happens at once |

An empty unit that several rows drew is started by the first of them; for the others' updates it is a unit like any
other (their residue was zero). The first order is what the released code does, and what every experiment uses; the
others are there for the tests to compare. `scan` runs them.
"""

from unforget.methods.hrn.routing import Level


def deferred(before: Level | None, now: Level | None) -> tuple[Level | None, Level | None]:
    """Levels whose rows select, and whose selections have their effects, in the scan between a level and the next (None before
    the first and after the last)."""
    return now, before


def depth(before: Level | None, now: Level | None) -> tuple[Level | None, Level | None]:
    """As `deferred`, with the effects at once."""
    return now, now


ORDERS = {"deferred": (deferred, False), "depth": (depth, False), "sample": (depth, True)}
"""What is scanned together, and whether samples go through the levels one by one."""
