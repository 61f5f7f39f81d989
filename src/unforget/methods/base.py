"""The seam between methods and the training loop: what a learner tells the loop, and what the loop may ask of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import UnionType
from typing import Any, ClassVar, Literal, Protocol, get_args, get_origin, get_type_hints

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from unforget.errors import UnforgetError, choose


def nothing() -> None:
    """The default of a phase that needs no preparation."""


@dataclass(frozen=True)
class Phase:
    """One stretch of training within a stage.

    `batches(step)` gives what a step trains on, as a function of the step alone. `step(batch, step)` makes one update of
    the learner's state, all replicas at once, in place. `begin()` runs once before step 0 (fresh moments, stored targets);
    what it computes belongs into the state, since a resumed run does not call it again. `finished()`, if given, is asked
    every `check_every` steps which replicas are done; the phase ends when all are.
    """

    name: str
    steps: int
    batches: Callable[[int], Any]
    step: Callable[[Any, "int | Tensor"], None]
    begin: Callable[[], None] = nothing
    finished: Callable[[], Bool[Tensor, "S"]] | None = None
    check_every: int = 100


@dataclass(frozen=True)
class Replicas:
    """Independent copies that train together. A replica is a seed and, in a scan, its own hyperparameters."""

    seeds: tuple[int, ...]
    scan: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    device: torch.device = torch.device("cpu")

    def __len__(self) -> int:
        return len(self.seeds)

    @property
    def seed_tensor(self) -> Int[Tensor, "S"]:
        return torch.tensor(self.seeds, dtype=torch.int64, device=self.device)

    def value(self, name: str, default: float) -> Float[Tensor, "S"]:
        """A hyperparameter per replica: scanned values where there are some, else `default` for all."""
        values = self.scan.get(name, (default,) * len(self))
        return torch.tensor(values, dtype=torch.float32, device=self.device)

    def part(self, start: int, stop: int) -> "Replicas":
        """Replicas start ... stop-1."""
        return Replicas(self.seeds[start:stop], {k: v[start:stop] for k, v in self.scan.items()}, self.device)


class Learner(Protocol):
    """What every method offers: `kind(stream, scenario, options, replicas)` makes one.

    `Options` is a frozen dataclass whose defaults are the paper's; an option added later must have a default that leaves
    old runs as they were. `scannable` names the options that may differ from replica to replica. Tensors of `state` carry
    the replica axis first and are all that a checkpoint holds.

    Two more are optional: a static `arrange(stream)` that reorders the stream before training (joint training), and
    `infer_task(x, tasks_seen)`, the inferred task of every sample [S, B].
    """

    Options: ClassVar[type]
    scannable: ClassVar[tuple[str, ...]]
    state: dict[str, Tensor]

    def phases(self, stage: int) -> Sequence[Phase]:
        """The phases of a stage. Pure and cheap: names and numbers of steps do not depend on the training."""

    def end_stage(self, stage: int) -> None:
        """Consolidate: Fisher, stored targets, buffers."""

    def predict(self, x: Float[Tensor, "S B ..."], task: int | None, tasks_seen: int) -> Tensor:
        """Outputs for inputs shared by all replicas (x has S = 1). With `task`, the outputs of that task
        [S, B, classes]; with None, context-free: [S, B, classes] where tasks share a head, else [S, B, tasks*classes]
        with -inf for classes not offered."""

    def counts(self) -> "dict[str, int | Int[Tensor, 'S']]":
        """Numbers of parameters by name, one for all replicas or one each; "trained" among them."""


def options(kind: type, values: Mapping[str, Any], method: str):
    """A method's options dataclass from declared values; lists become tuples, and ints floats where a float is meant.

    Raises `UnforgetError` for a misspelt name or choice (naming the nearest valid one) and for a value of the wrong type.
    """
    hints = get_type_hints(kind)
    for name in values:
        choose(f"option of {method}", name, hints)
    return kind(**{name: _fit(value, hints[name], f"option {name} of {method}") for name, value in values.items()})


def _fit(value: Any, hint: Any, what: str) -> Any:
    if get_origin(hint) is Literal:
        return choose(what, value, get_args(hint))
    types = [get_origin(part) or part for part in (get_args(hint) if isinstance(hint, UnionType) else (hint,))]
    if isinstance(value, list):
        value = _tuples(value)
    if float in types and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if not isinstance(value, tuple(types)) or (isinstance(value, bool) and bool not in types):
        raise UnforgetError(f"{what} cannot be {value!r}")
    return value


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
