"""How fast the package is, as ratios against slow, obvious versions of the same work: `python -m benchmarks`.

One file a question. Each has a `measure(setup)` that returns the rows of its table; what is compared takes turns in one
process (A B A B), and the table gives medians. `reference.py` holds the slow versions, which the tests use too.
"""
