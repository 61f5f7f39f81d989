"""Probes against plain loops over single images."""

import torch
from tests import tiny

from unforget.probes.certainty import certainty


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
