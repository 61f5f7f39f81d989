"""The pages that are made from records and printed numbers; importing this package registers them all with
`pages`.
"""

from unforget.book.fragments import claims, costs, coverage, environment, ledger, scorecard, verdicts

__all__ = ["claims", "costs", "coverage", "environment", "ledger", "scorecard", "verdicts"]
