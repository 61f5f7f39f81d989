"""The claims of Berjaoui, *Continual learning using hash-routed convolutional neural networks*, 2020."""

from unforget.results.claims.base import Claim


def _claim(id: str, where: str, text: str) -> Claim:
    return Claim(id, "hrn", where, text)


CLAIMS = (
    _claim("r01", "5.2, Fig. 2", "The first task is more stable than with the other methods."),
    _claim("r02", "5.2", "Accuracy drops very little on any task, and sometimes rises."),
    _claim("r03", "5.2, Fig. 3", "The other methods forget more; forgetting is almost absent here."),
    _claim("r04", "5.2, Fig. 3", "Accuracy right after a task is often a little below that of the others."),
    _claim("r05", "5.2, 5.4", "Training longer makes up for the lower first accuracy."),
    _claim("r06", "5.2, 5.4", "The weight of the l1 term trades stability for plasticity and matters in the "
           "long term."),
    _claim("r07", "5.2, 5.3", "More units make the network more plastic, without necessarily making it "
           "better."),
    _claim("r08", "5.3", "Units are used unevenly, usage shifts from task to task, and one is hardly used."),
    _claim("r09", "5.4", "Using the projections in the output brings nothing."),
    _claim("r10", "4, App. C", "The routing hardly allows batches, so a graphics card is used poorly."),
    _claim("r11", "Fig. 2", "Best overall accuracy on SVHN and CIFAR."),
    _claim("r12", "arXiv Tab. 2, ICLR Tab. 1", "The two versions' ablation tables agree."),
    _claim("r13", "2, Eq. 1-2", "Hashed features keep inner products on average and are nearly orthogonal."),
    _claim("r14", "(ours)", "The trained units add to what a fixed hash of the image already gives."),
    _claim("r15", "arXiv Tab. 2, App. B", "Updating the bases, a longer hash and depth all matter."),
)  # fmt: skip
