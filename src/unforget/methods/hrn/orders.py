"""In which order the rows of a batch select units and change bases. The papers define one sample only.

| order | meaning |
|---|---|
| deferred | level by level; what a selection does to its basis happens when the row selects at the next level |
| depth | level by level; it happens at once |
| sample | one sample after the other through all levels; it happens at once |

An empty unit that several rows drew is started by the first of them; for the others' updates it is a unit like any
other (their residue was zero). The first order is what the released code does, and what every experiment uses; the
others are there for the tests to compare. An order is a list of levels' work; `scan` runs each over all rows.
"""

from unforget.methods.hrn.routing import Level, Work


def deferred(before: Level | None, now: Level | None) -> Work:
    """The work of a scan between a level and the next (None before the first and after the last)."""
    return ([(Level.update, before)] if before else []) + ([(Level.select, now)] if now else [])


def depth(before: Level | None, now: Level | None) -> Work:
    """As `deferred`, with updates at once."""
    return [(Level.select, now), (Level.update, now)] if now else []


ORDERS = {"deferred": (deferred, False), "depth": (depth, False), "sample": (depth, True)}
"""The work of a scan, and whether samples go through the levels one by one."""
