"""Chandra et al. (2022): what makes its tables and figures. Rows it shares with von Oswald et al. are the same runs."""

from unforget.experiments.hnet import HNET_ENT, SCENARIOS, dealt, permuted, permuted_replay, replay, replay_choices
from unforget.experiments.spec import Cell

EXPERIMENTS = ()

CELLS = tuple(
    Cell("lstm", "table-1", row, f"S {s}", f"split-mnist/{name}-{s.lower()}", s)
    for s in SCENARIOS
    for row, name in (("EWC", "ewc"), ("Online EWC", "online-ewc"), ("SI", "si"))
) + tuple(
    Cell("lstm", "table-1", "HNET", f"S {s}", f"split-mnist/{HNET_ENT[s]}", s) for s in SCENARIOS
) + replay.LSTM_CELLS + replay_choices.LSTM_CELLS + dealt.LSTM_CELLS + permuted.LSTM_CELLS + permuted_replay.LSTM_CELLS
