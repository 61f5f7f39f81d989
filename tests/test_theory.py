"""Proposition 1 in numbers: the fitted network is a chunked network, and its error is the error of its outputs."""

import numpy as np
import pandas as pd
import pytest
import torch

from unforget.errors import UnforgetError
from unforget.hyper.chunked import ChunkedHypernet
from unforget.results import figures
from unforget.theory import chunked_approximation as theory


def test_the_curve_is_the_sum_it_says():
    phase = np.random.RandomState(0).uniform(0, 2 * np.pi, (48, 4))
    plain = [sum(np.sin(k * 0.3 + phase[7, k - 1]) / k for k in range(1, 5)), sum(np.sin(phase[7, k - 1]) / k for k in range(1, 5))]
    assert theory.curve(torch.tensor([0.3, 0.0], dtype=torch.float64))[:, 7].tolist() == pytest.approx(plain)


def test_the_error_is_that_of_a_network_evaluated_unit_by_unit(monkeypatch):
    made, generate = [], ChunkedHypernet.generate
    monkeypatch.setattr(ChunkedHypernet, "generate", lambda self, theta, e: made.append((self, theta)) or generate(self, theta, e))
    fit = theory.fit(4, 16)
    (net, theta), worst = made[0], 0.0
    parts = {name: value[0].numpy() for name, value in net.layout.split(theta).items()}
    for e in np.linspace(-1, 1, theory.TESTED_ON):
        weights = []
        for c in parts["c"]:
            hidden = 1 / (1 + np.exp(-(parts["W1"] @ np.array([e, *c]) + parts["b1"])))
            weights.extend(parts["W2"] @ hidden + parts["b2"])
        error = np.array(weights) - theory.curve(torch.tensor([e], dtype=torch.float64))[0].numpy()
        worst = max(worst, float(np.linalg.norm(error)))
    assert fit.error == pytest.approx(worst, rel=1e-6)
    assert fit.parameters == 16 * (1 + 3) + 16 + 12 * 16 + 12 + 4 * 3  # W1, b1, W2, b2, c


@pytest.mark.parametrize("chunks", [1, 4, 12])
@pytest.mark.parametrize("epsilon", [1.0, 1e-2, 1e-5])
def test_any_error_is_reached_with_any_number_of_chunks(chunks, epsilon):
    found = theory.smallest(chunks, epsilon)
    assert found.error < epsilon and found.chunks == chunks
    assert theory.fit(chunks, found.width // 2).error >= epsilon or found.width == 4
    assert theory.smallest(chunks, epsilon) == found


def test_the_curve_is_not_written_by_chance():
    assert theory.curve(torch.linspace(-1, 1, 50, dtype=torch.float64)).norm(dim=1).min() > 1
    assert theory.fit(4, 4, seed=1).error > 0.1


@pytest.mark.parametrize("chunks", [0, 5, 49])
def test_chunks_that_do_not_divide_the_weights_are_refused(chunks):
    with pytest.raises(UnforgetError, match=f"48 weights cannot be cut into {chunks} equal chunks"):
        theory.fit(chunks, 8)


def test_an_error_out_of_reach_is_refused(monkeypatch):
    monkeypatch.setattr(theory, "WIDEST", 8)
    with pytest.raises(UnforgetError, match="no network with up to 8 hidden units reaches 1e-09"):
        theory.smallest(4, 1e-9)


def test_figure_of_errors_names_both_ends():
    rows = [vars(theory.fit(chunks, width)) for chunks in (1, 4) for width in (4, 8)]
    plot = figures.approximation(pd.DataFrame(rows))
    assert f"1 chunk: from {rows[0]['error']:.2g} with 263 parameters to {rows[1]['error']:.2g} with 475" in plot.alt
    assert "4 chunks: from" in plot.alt and len(plot.data) == 4
