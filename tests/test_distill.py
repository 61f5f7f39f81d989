"""Distillation against its formulas, one sample and one head at a time."""

import math

import pytest
import torch
import torch.nn.functional as F

from unforget.methods import distill
from unforget.methods.heads import Head

S, B, K, TASKS, NOW, T = 2, 6, 3, 4, 2, 2.0
OLD = torch.tensor([0, 1, 1, 0, 1, 0])


def logits(head, seed):
    return 3 * torch.randn(S, B, head.outputs, generator=torch.Generator().manual_seed(seed))


def softmax(row, temperature):
    powers = [math.exp(value / temperature) for value in row]
    return [power / sum(powers) for power in powers]


def plain_soft(target_row, row, temperature, new=0, unseen="zero probability"):
    """Temperature-softened cross-entropy of two rows of logits, the last `new` unknown to the teacher."""
    if unseen == "zero logit":
        p = softmax([*target_row, *[0.0] * new], temperature)
    else:
        p = [*softmax(target_row, temperature), *[0.0] * new]
    q = softmax(row, temperature)
    return -sum(a * math.log(b) for a, b in zip(p, q, strict=True)) * temperature**2


def heads_of(scenario, old, b):
    """(outputs that compete, how many of them the teacher knows) for each head that labels sample b."""
    if scenario == "CL2":
        return [(range(K), K)]
    if scenario == "CL3":
        return [(range((NOW + 1) * K), NOW * K)]
    return [(range(j * K, (j + 1) * K), K) for j in (range(NOW) if old is None else [int(old[b])])]


@pytest.mark.parametrize("over_classes", ["sum", "mean"])
@pytest.mark.parametrize("unseen", ["zero probability", "zero logit"])
@pytest.mark.parametrize("old", [None, OLD], ids=["every head", "own head"])
@pytest.mark.parametrize("scenario", ["CL1", "CL2", "CL3"])
def test_soft_targets_equal_the_formula_sample_by_sample(scenario, old, unseen, over_classes):
    head = Head(scenario, K, TASKS)
    student, teacher = logits(head, 0), logits(head, 1)
    targets = distill.soft_targets(head, teacher, old, NOW, T, unseen)
    found = distill.soft_losses(head, student, targets, old, NOW, T, over_classes)
    for s in range(S):
        for b in range(B):
            terms = []
            for outputs, known in heads_of(scenario, old, b):
                row, target_row = student[s, b, list(outputs)].tolist(), teacher[s, b, list(outputs)[:known]].tolist()
                loss = plain_soft(target_row, row, T, len(outputs) - known, unseen)
                terms.append(loss / len(outputs) if over_classes == "mean" else loss)
            assert found[s, b].item() == pytest.approx(sum(terms) / len(terms), rel=1e-5)
    torch.testing.assert_close(targets.sum(-1), torch.ones_like(targets.sum(-1)))


@pytest.mark.parametrize("old", [None, OLD], ids=["every head", "own head"])
@pytest.mark.parametrize("scenario", ["CL1", "CL2", "CL3"])
def test_hard_targets_equal_cross_entropy_sample_by_sample(scenario, old):
    head = Head(scenario, K, TASKS)
    student, teacher = logits(head, 0), logits(head, 1)
    if scenario == "CL3":
        teacher[..., NOW * K :] += 100  # what a teacher says about classes it never saw does not count
    found = distill.hard_losses(head, student, distill.hard_targets(head, teacher, old, NOW), old, NOW)
    for s in range(S):
        for b in range(B):
            terms = []
            for outputs, known in heads_of(scenario, old, b):
                label = teacher[s, b, list(outputs)[:known]].argmax()
                terms.append(F.cross_entropy(student[s, b, list(outputs)], label))
            torch.testing.assert_close(found[s, b], sum(terms) / len(terms), rtol=1e-5, atol=1e-6)


def test_only_the_zero_logit_gives_new_classes_probability():
    head = Head("CL3", K, TASKS)
    new = slice(NOW * K, (NOW + 1) * K)
    for unseen, some in (("zero probability", False), ("zero logit", True)):
        targets = distill.soft_targets(head, logits(head, 1), None, NOW, T, unseen)
        assert targets.shape[-1] == (NOW + 1) * K and bool((targets[..., new] > 0).all()) == some


def test_the_teacher_gets_no_gradient():
    head = Head("CL2", K, TASKS)
    teacher = logits(head, 1).requires_grad_()
    assert not distill.soft_targets(head, teacher, None, NOW, T).requires_grad
