"""Berjaoui (2020): what makes its tables and figures."""

from unforget.experiments.hrn import ablations, sequences

EXPERIMENTS = sequences.EXPERIMENTS + ablations.EXPERIMENTS
CELLS = sequences.CELLS + ablations.CELLS
