"""The claims of von Oswald et al., *Continual learning with hypernetworks*, ICLR 2020.

Row and column names are those of `data/paper/hnet.csv`; what the paper shows only as a figure is looked up
under `figure-<n>` with the names used here. The function `hNN` judges the claim hNN
of `CLAIMS` below.
"""

from unforget.results.claims.base import listed
from unforget.results.claims.hnet.appendix import h16, h17, h20, h21, h22, h23, h24, h25, h26, h27
from unforget.results.claims.hnet.results import h01, h02, h03, h04, h05, h06, h07, h08, h09, h11, h12, h13, h15

CLAIMS = listed(
    "hnet",
    ("h01", "Fig. 2", "Learning three functions one after the other with the regulariser ends about "
     "as well as learning them together offline; without it the earlier functions are "
     "forgotten.", h01),
    ("h02", "3, Tab. 1", "With the task given, HNET is at least as accurate as EWC, SI and DGR on ten "
     "permutations of MNIST.", h02),
    ("h03", "3, Tab. 1", "Guessing the task by entropy puts HNET far above SI and online EWC on "
     "P10-CL3.", h03),
    ("h04", "3, Tab. 1", "On ten permutations no method beats HNET+TIR and HNET+R, whatever the "
     "scenario.", h04),
    ("h05", "3, Tab. 1", "On split MNIST the best method of each scenario is a hypernetwork.", h05),
    ("h06", "3, Tab. 1", "HNET+R improves on DGR with distillation on split MNIST without task "
     "identity.", h06),
    ("h07", "3, Tab. 1", "Without any generative model, HNET+ENT is above EWC and SI on split "
     "MNIST.", h07),
    ("h08", "3, Tab. 2", "HNET+R nearly reaches what replaying real data would give.", h08),
    ("h09", "1, Tab. 3-5", "Accuracy after the last task is practically what it was right after each "
     "task.", h09),
    ("h10", "Fig. 3a", "Over a hundred permutations HNET hardly loses old tasks, SI and DGR lose them "
     "gradually, and online EWC keeps them without ever being accurate."),
    ("h11", "Fig. 3b", "Accuracy stays about the same while the hypernetwork shrinks well below the "
     "size of its target, and then falls quickly.", h11),
    ("h12", "Fig. 4", "Two-dimensional task embeddings suffice for split MNIST: the first task is "
     "solved in a large region that holds all embeddings, the last one in a bounded region.", h12),
    ("h13", "Fig. 5, Tab. 5", "A ResNet-32 on split CIFAR forgets nothing.", h13),
    ("h14", "Fig. 5", "Earlier tasks help later ones on split CIFAR: HNET is above training from "
     "scratch, while fine-tuning forgets."),
    ("h15", "Fig. A3", "On the shallow CIFAR network HNET is comparable to SI, does not forget, and "
     "gains more from earlier tasks than on ResNet-32.", h15),
    ("h16", "Fig. A2", "The regularisation strength may vary widely; a hypernetwork that does not "
     "grow with the output layer loses little and stays ahead of other methods.", h16),
    ("h17", "Fig. A4, Tab. 4", "On a hundred permutations without task identity HNET+TIR keeps old "
     "tasks, finds the right task nearly always, is alone in learning CL3, and finds CL2 "
     "harder than CL3.", h17),
    ("h18", "Fig. A5, A6", "No strength of online EWC reaches HNET: strong blocks new tasks, weak "
     "forgets."),
    ("h19", "Fig. A5c,d", "Unprotected, a hypernetwork drops to chance at once, a plain network "
     "gradually."),
    ("h20", "Fig. A7", "Over random architectures split MNIST stays in the high nineties down to "
     "about one percent of the target's size, permuted MNIST declines non-linearly; "
     "architecture matters little.", h20),
    ("h21", "App. D, Tab. 6", "HAT and HNET are alike on large networks; on small ones and on long "
     "sequences HNET is better.", h21),
    ("h22", "App. D", "A random subset of old tasks in the regulariser is enough for 250 tasks.", h22),
    ("h23", "2.1, App. C", "Looking one optimiser step ahead helps a little; a condition per task "
     "helps the replay model; the strength of the split MNIST classifier's regulariser hardly "
     "matters.", h23),
    ("h24", "3, App. C", "No hypernetwork has more parameters than the model it is compared "
     "with.", h24),
    ("h25", "Fig. A4", "With the right task inferred, CL3 is no harder than CL1.", h25),
    ("h26", "App. D", "Softened labels improve the small network on ten permutations.", h26),
    ("h27", "App. F, Fig. A8", "Protected replay models learn to draw all digits class by class.", h27),
)  # fmt: skip
