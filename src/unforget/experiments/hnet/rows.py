"""The rows that MNIST experiments share: baselines of van de Ven & Tolias (2019) in three scenarios, HNET+ENT."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from unforget.experiments.spec import Run

SCENARIOS = ("CL1", "CL2", "CL3")
TABLE_1 = {"EWC": "online-ewc", "SI": "si", "fine-tuning": "finetune", "joint": "joint"}
"""Columns of Table 1, and our two bounds, by the run that fills them."""
HNET_ENT = {"CL1": "hnet", "CL2": "hnet-cl2", "CL3": "hnet"}
"""The run of HNET+ENT per scenario: CL1 and CL3 are one training."""


class Strengths(NamedTuple):
    """λ of EWC, (λ, γ) of online EWC and c of SI in one scenario, from the code of van de Ven & Tolias.

    Online EWC's λ belongs to code that multiplies by γ once more in the penalty: λ·γ is the same penalty with γ applied
    once, and what is declared.
    """

    ewc: float
    online_ewc: tuple[float, float]
    si: float


def baselines(scenario: str, strengths: Strengths, common: Mapping[str, Any] | None = None) -> tuple[Run, ...]:
    """Fine-tuning, joint training, EWC, online EWC and SI in a scenario; `common` are options of all."""
    strength, gamma = strengths.online_ewc
    rows = (
        ("finetune", "finetune", {}, "fine-tuning"),
        ("joint", "joint", {}, "joint"),
        ("ewc", "ewc", {"strength": strengths.ewc}, "EWC"),
        ("online-ewc", "online-ewc", {"strength": strength * gamma, "gamma": gamma}, "online EWC"),
        ("si", "si", {"c": strengths.si}, "SI"),
    )
    return tuple(
        Run(f"{name}-{scenario.lower()}", method, scenario, (scenario,), {**(common or {}), **own}, title=f"{title}, {scenario}")
        for name, method, own, title in rows
    )
