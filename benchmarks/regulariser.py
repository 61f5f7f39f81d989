"""Output regulariser, value and gradient: Gram form, direct form and autograd's plain sum.

`rows / h` is the number of old tasks x chunks over the last hidden width (with its bias), by which the package chooses
(`regulariser.GRAM_FROM`); `right` says whether it chose the faster form, "even" where they differ by under 10 %. Memory
is the peak of a process that does nothing else; blank: it would take more than a few GB (`--full` measures it).
"""

from collections.abc import Callable

import torch

from benchmarks import sizes
from benchmarks.timing import FEW_GB, Setup, fresh, paired, peak_memory_mib
from unforget.hyper import regulariser

CASES = {"S": (1, 2, 3, 4), "P10": (1, 2, 3, 9, 49, 99), "P100": (1, 2, 3, 9, 49, 99)}
TOY_CASES = {"toy": (1, 3)}
FORMS = ("gram", "direct", "plain")
COPIES = {"gram": 0, "direct": 4, "plain": 7}
"""Rough number of all old tasks' weights that a form holds at once."""
EVEN = 1.1


def measure(setup: Setup) -> list[dict]:
    rows = []
    for size, counts in (TOY_CASES if setup.toy else CASES).items():
        net = sizes.learner(size, "hnet", 1, setup.device).hyper
        possible = {
            old: [form for form in FORMS if setup.full or _gigabytes(net, form, old) < FEW_GB] for old in counts
        }
        memory = {
            form: fresh(_memory, size, form, [old for old in counts if form in possible[old]], setup) for form in FORMS
        }
        for old in counts:
            took = paired({form: _work(size, form, old, setup) for form in possible[old]}, setup)
            chosen = "gram" if regulariser.prefers_gram(net, old) else "direct"
            faster = min(("gram", "direct"), key=took.__getitem__)
            even = max(took["gram"], took["direct"]) < EVEN * took[faster]
            rows.append({
                "size": size, "old tasks": old, "rows / h": old * net.chunks / (net.hidden[-1] + 1),
                **{f"{form} ms": took.get(form) for form in FORMS},
                "direct / gram": took["direct"] / took["gram"],
                "plain / chosen": took.get("plain", torch.nan) / took[chosen],
                "chosen": chosen, "right": "even" if even else "yes" if chosen == faster else "NO",
                **{f"{form} MiB": memory[form].get(old) for form in FORMS},
            })  # fmt: skip
    return rows


def _work(size: str, form: str, old: int, setup: Setup) -> Callable[[], None]:
    """Value and gradient at weights a little away from θ*."""
    one = sizes.learner(size, "hnet", 1, setup.device)
    # More old tasks than the size has tasks are measured, too.
    e = torch.randn(1, old, one.hyper.task_embedding, device=setup.device)
    theta = one.state["theta"]
    ahead = theta + 1e-3 * torch.randn_like(theta)
    with torch.no_grad():
        targets = None if form == "gram" else one.hyper.generate(theta, e)
    penalty = {
        "gram": lambda: regulariser.Gram(one.hyper, theta, e),
        "direct": lambda: regulariser.Direct(one.hyper, targets),
        "plain": lambda: lambda at, e: (one.hyper.generate(at, e) - targets).square().sum((1, 2)),
    }[form]()

    def work() -> None:
        leaf = ahead.detach().requires_grad_()
        torch.autograd.grad(penalty(leaf, e).sum(), leaf)

    return work


def _memory(size: str, form: str, counts: list[int], setup: Setup) -> dict[int, int]:
    """Peak MiB by number of old tasks, counted upwards in one process."""
    peaks = {}
    for old in counts:
        _work(size, form, old, setup)()
        peaks[old] = peak_memory_mib(setup.device)
    return peaks


def _gigabytes(net, form: str, old: int) -> float:
    return COPIES[form] * 4 * old * net.target.size / 1e9
