"""`python -m benchmarks [NAME ...] [--only WORD ...]`: one table of ratios per question. Without names: all questions."""

import argparse
import inspect
import sys
from importlib import import_module

import pandas as pd

from benchmarks.timing import Setup
from unforget import runtime
from unforget.errors import UnforgetError, choose
from unforget.results import speeds

NAMES = ("replicas", "denormals", "regulariser", "fisher", "steps", "replay", "capture", "run", "hrn")

MANY = ("replicas", "steps", "replay", "capture")
"""Questions with many rows, of which some can be chosen."""


def main(arguments: list[str]) -> None:
    modules = {name: import_module(f"benchmarks.{name}") for name in NAMES}
    summaries = {name: inspect.getdoc(module).splitlines()[0] for name, module in modules.items()}
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Speed, as ratios in one run.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="questions:\n" + "\n".join(f"  {name:12} {summary}" for name, summary in summaries.items()),
    )  # fmt: skip
    parser.add_argument("names", nargs="*", metavar="NAME", help="questions to answer (default: all)")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    parser.add_argument("--full", action="store_true", help="also what takes minutes or more than a few GB of memory")
    parser.add_argument(
        "--only", nargs="+", default=(), metavar="WORD",
        help=f"only rows with all these words (size, method, phase or task), as in --only P10 hnet-r; of {', '.join(MANY)}",
    )  # fmt: skip
    parser.add_argument("--repetitions", type=int, default=5, metavar="N", help="turns per candidate (default: 5)")
    parser.add_argument("--record", action="store_true", help="also keep what is measured, in data/speeds, for the book")
    given = parser.parse_args(arguments)
    names = [choose("benchmark", name, NAMES) for name in given.names] or NAMES
    if given.only and given.record:
        raise UnforgetError("--record keeps a whole table; leave --only out")
    if given.only:
        names = [name for name in names if name in MANY]
    runtime.settle()
    setup = Setup(runtime.device(given.device), max(1, given.repetitions), given.full, only=tuple(given.only))
    machine = runtime.describe(setup.device)
    print(", ".join(f"{key} {machine[key]}" for key in ("device", "cores", "threads", "system", "python", "torch")))
    for name in names:
        rows = modules[name].measure(setup)
        table = pd.DataFrame(rows).dropna(axis=1, how="all")  # columns that none of these rows has
        print(f"\n{name}: {inspect.getdoc(modules[name])}\n")
        shown = table.to_string(index=False, na_rep="", float_format="{:.3g}".format)
        print(shown if len(rows) else f"no row with {' '.join(given.only)}", flush=True)
        if given.record:
            print(f"\nrecorded in {speeds.save(name, rows, machine, setup.repetitions)}", flush=True)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except UnforgetError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
