"""The claims of Berjaoui, *Continual learning using hash-routed convolutional neural networks*, 2020.

Row and column names are those of `data/paper/hrn.csv`; rows that are only ours are named in `sequences.OURS`. The drop of a task is
its accuracy right after its own training minus that at the end. The function `rNN` judges the claim rNN, stated in
`CLAIMS` below.
"""

from unforget.results.claims.base import listed
from unforget.results.claims.hrn.ablations import r06, r12, r15
from unforget.results.claims.hrn.routing import r08, r10, r13
from unforget.results.claims.hrn.sequences import r01, r02, r03, r04, r05, r07, r09, r11, r14

CLAIMS = listed(
    "hrn",
    ("r01", "5.2, Fig. 2", "The first task is more stable than with the other methods.", r01),
    ("r02", "5.2", "Accuracy drops very little on any task, and sometimes rises.", r02),
    ("r03", "5.2, Fig. 3", "The other methods forget more; forgetting is almost absent here.", r03),
    ("r04", "5.2, Fig. 3", "Accuracy right after a task is often a little below that of the others.", r04),
    ("r05", "5.2, 5.4", "Training longer makes up for the lower first accuracy.", r05),
    ("r06", "5.2, 5.4", "The weight of the l1 term trades stability for plasticity and matters in the "
     "long term.", r06),
    ("r07", "5.2, 5.3", "More units make the network more plastic, without necessarily making it "
     "better.", r07),
    ("r08", "5.3, Fig. 4", "Units are used unevenly, usage shifts from task to task, and one is hardly used.", r08),
    ("r09", "5.4", "Using the projections in the output brings nothing.", r09),
    ("r10", "4, App. C", "The routing hardly allows batches, so a graphics card is used poorly.", r10),
    ("r11", "Fig. 2", "Best overall accuracy on SVHN and CIFAR.", r11),
    ("r12", "arXiv Tab. 2, ICLR Tab. 1", "The two versions' ablation tables agree.", r12, True),
    ("r13", "2, Eq. 1-2", "Hashed features keep inner products on average, with an error of O(1/s), and are nearly "
     "orthogonal.", r13),
    ("r14", "(ours)", "The trained units add to what a fixed hash of the image already gives.", r14),
    ("r15", "arXiv Tab. 2, App. B", "Updating the bases, a longer hash and depth all matter.", r15),
)  # fmt: skip
