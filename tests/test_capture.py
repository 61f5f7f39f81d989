"""What capturing a step asks of it: the number of the step may be a tensor, and every step works in the same places.

The same learners as in `test_no_sync`, save those whose `step` is declared to take an int. (With an encoder it is needed on
the host, to find the block of draws for dropout.)
"""

import inspect

import pytest
import tiny
import torch
from benchmarks.capture import Static, capture, compiled, measure, same
from benchmarks.timing import Setup
from test_no_sync import CASES, NAMES, refused_on_a_cpu
from torch.utils._python_dispatch import TorchDispatchMode

from unforget.methods import find


def declared_to_take_an_int(method):
    return inspect.signature(find(method).step).parameters["step"].annotation in (int, "int")


cases = pytest.mark.parametrize("method, changes", [
    pytest.param(*case, id=name, marks=pytest.mark.skipif(declared_to_take_an_int(case[0]), reason="`step: int`"))
    for case, name in zip(CASES, NAMES, strict=True)
])  # fmt: skip


def run(learner, stream, steps):
    """All stages of a learner, `steps(phase)` making the steps of a phase."""
    for stage in range(len(stream.stages)):
        for phase in learner.phases(stage):
            phase.begin()
            steps(phase)
        learner.end_stage(stage)
    return learner


@cases
def test_the_number_of_a_step_may_be_a_tensor(method, changes):
    learner, stream = tiny.learner(method, **changes)
    eager = run(learner, stream, lambda phase: [phase.step(phase.batches(n), n) for n in range(4)])

    def static(phase):
        step = Static(phase, torch.device("cpu"))
        for _ in range(4):
            with refused_on_a_cpu():
                step()

    other = run(*tiny.learner(method, **changes), static)
    assert eager.state.keys() == other.state.keys()
    for name, value in eager.state.items():
        assert torch.equal(value, other.state[name]), name


class Record(TorchDispatchMode):
    def __init__(self):
        super().__init__()
        self.names = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.names.append(str(function))
        return function(*args, **(kwargs or {}))


@cases
def test_every_step_is_the_same_program_on_the_same_tensors(method, changes):
    learner, stream = tiny.learner(method, **changes)

    def steps(phase):
        static, programs, places = Static(phase, torch.device("cpu")), [], []
        for _ in range(4):
            static()  # the first one derives what the phase keeps
            with Record() as record:
                static.step()
            programs.append(record.names)
            places.append({name: value.data_ptr() for name, value in learner.state.items()})
        assert programs.count(programs[0]) == places.count(places[0]) == 4 and programs[0]

    run(learner, stream, steps)


def test_states_that_differ_are_told_apart():
    one, other = (tiny.learner("hnet")[0] for _ in range(2))
    assert same(one, other)
    other.state["theta"][0, 0] += 0.01
    assert not same(one, other)


def test_rows_that_need_cuda_say_so():
    rows = measure(Setup(torch.device("cpu"), repetitions=1, toy=True))
    assert [(row["form"], row["equal"], row["note"]) for row in rows] == [
        ("static batch", "yes", ""), ("CUDA graph", None, "needs CUDA"), ("torch.compile", None, "needs CUDA"),
    ]  # fmt: skip


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@cases
def test_a_captured_step_does_what_an_eager_one_does(method, changes):
    assert_as_eager(capture, method, changes)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_compiled_step_does_what_an_eager_one_does():
    assert_as_eager(compiled, "hnet", {})


def assert_as_eager(prepare, method, changes):
    """Six steps of every phase on a graphics card, prepared and not, leave the same state."""
    eager = run(*tiny.learner(method, device="cuda", **changes), lambda phase: [phase.step(phase.batches(n), n) for n in range(6)])

    def prepared(phase):
        step = Static(phase, torch.device("cuda"))
        prepare(step)
        while step.made < 6:
            step()

    assert same(eager, run(*tiny.learner(method, device="cuda", **changes), prepared))
