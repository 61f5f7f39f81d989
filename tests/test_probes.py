"""Probes against plain loops over single images."""

import pytest
import torch
from tests import tiny

from unforget.probes.certainty import certainty
from unforget.probes.classes import class_confusion
from unforget.probes.confusion import task_confusion


def test_certainty_is_the_mean_entropy_and_logit_range_of_every_network():
    learner, stream = tiny.learner("hnet", "CL1", seeds=(0, 1))
    found = certainty(learner, stream)
    T = stream.tasks
    assert found.shape == (2, T, 2, T)
    for t in range(T):
        for k in range(T):
            entropies, ranges = [], []
            for i in range(len(stream.tests[t])):
                logits = learner.candidates(stream.tests[t].take(torch.tensor([[i]])).x, T)[1, k, 0].double()
                p = logits.softmax(0)
                entropies.append(-(p * p.log()).sum())
                ranges.append(logits.max() - logits.min())
            torch.testing.assert_close(found[1, t, 0, k], torch.stack(entropies).mean())
            torch.testing.assert_close(found[1, t, 1, k], torch.stack(ranges).mean())


@pytest.mark.parametrize("method", ["hnet", "finetune"])
def test_class_confusion_counts_every_test_image_once(method):
    learner, stream = tiny.learner(method, "CL3", seeds=(0, 1))
    found = class_confusion(learner, stream)
    classes = stream.classes * stream.tasks
    plain = torch.zeros(2, classes, classes, dtype=torch.int64)
    for test in stream.tests:
        for i in range(len(test)):
            x, y = test.take(torch.tensor([[i]]))
            for s, outputs in enumerate(learner.predict(x, None, stream.tasks)):
                plain[s, int(y), int(outputs[0].argmax())] += 1
    assert torch.equal(found, plain)
    if method == "hnet":  # a class is right only where its task is
        tasks = found.unflatten(2, (-1, stream.classes)).sum(-1).unflatten(1, (-1, stream.classes)).sum(2)
        assert torch.equal(tasks, task_confusion(learner, stream))
