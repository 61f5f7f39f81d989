"""The claims of Varma, Arani, Zonooz, *Dynamically Modular and Sparse General Continual Learning*, 2023."""

from unforget.results.claims.base import listed

CLAIMS = listed(
    "dynamos",
    ("d01", "Fig. 2", "Dynamos is above CCGN at every buffer size on both data sets, with bounded "
     "memory."),
    ("d02", "Tab. 1", "Dynamos is above the multi-scale baseline at every buffer size."),
    ("d03", "Tab. 1", "Plain SGD forgets drastically."),
    ("d04", "(ours)", "Whether the lead over the baseline depends on the buffer."),
    ("d05", "Fig. 3a, 7", "Digits that look alike switch on the same filters."),
    ("d06", "Fig. 3b", "Tasks differ more in their activations than similar classes do."),
    ("d07", "Fig. 4", "Activations of 1 and 7 are the closest pair by far, those of 1 and 8 the "
     "furthest."),
    ("d08", "Fig. 5", "The last layer's agent signals cluster by class, similar classes lie close "
     "together, and 9 falls into two groups."),
    ("d09", "Fig. 6", "Repeated passes of one image use different filters; some are never used, some "
     "always."),
    ("d10", "5.1", "Training uses no task boundaries."),
    ("d11", "3.1, Tab. 5", "The reward holds the share of active filters near its target."),
    ("d12", "3", "The warm-up stage helps."),
)  # fmt: skip
