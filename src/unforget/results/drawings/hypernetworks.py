"""What Figures 1 and A1 of von Oswald et al. (2020) explain, drawn anew."""

from matplotlib.patches import Rectangle

from unforget.results.drawings.base import BLUE, INK, ORANGE, PALE, QUIET, Drawing, arrow, box, canvas


def hypernetwork(tasks: int = 3, chunks: int = 4) -> Drawing:
    """Left: all weights at once from a task embedding. Right: chunk by chunk, with an embedding for each chunk."""
    figure, axes = canvas(7.0, 3.0)
    axes.text(0.1, 2.8, "all weights at once", weight="bold", color=INK, va="center")
    axes.text(3.5, 2.8, "chunk by chunk", weight="bold", color=INK, va="center")

    for t in range(tasks):
        own = t == tasks - 1
        y = 2.1 - 0.42 * t
        box(axes, 0.1, y, 0.5, 0.3, f"$e^{{({t + 1})}}$", ORANGE if own else QUIET, "white" if own else PALE)
        if own:
            arrow(axes, (0.6, y + 0.15), (1.1, 1.85))
    box(axes, 1.1, 1.4, 0.85, 0.9, "$h(e;\\theta)$", BLUE)
    arrow(axes, (1.95, 1.85), (2.3, 1.85))
    _weights(axes, 2.3, 1.4, 0.28, 0.9, chunks=1)
    axes.text(2.44, 2.4, "$\\Theta_\\mathrm{trgt}$", ha="center", color=INK)
    _target(axes, 2.02, 0.25, arrow_from=(2.44, 1.4))

    left = 3.5
    box(axes, left, 1.7, 0.6, 0.3, f"$e^{{({tasks})}}$", ORANGE)
    for j in range(chunks):
        box(axes, left, 1.2 - 0.34 * j, 0.6, 0.28, f"$c_{j + 1}$", BLUE, "white" if j == 1 else PALE)
    arrow(axes, (left + 0.6, 1.85), (4.6, 1.65))
    arrow(axes, (left + 0.6, 1.0), (4.6, 1.45))
    box(axes, 4.6, 1.25, 0.85, 0.6, "$h(e, c_j;\\theta)$", BLUE, fontsize=8.5)
    arrow(axes, (5.45, 1.6), (5.92, 1.94))
    _weights(axes, 5.95, 1.4, 0.28, 0.9, chunks=chunks, chosen=1)
    axes.text(6.09, 2.4, "$\\Theta_\\mathrm{trgt}$", ha="center", color=INK)
    _target(axes, 5.67, 0.25, arrow_from=(6.09, 1.4))
    return Drawing(
        figure,
        alt=(
            f"Two diagrams. Left: {tasks} task embeddings, of which the last is learning and the others are frozen; one of "
            "them enters a network h, which writes all weights of the target network, which maps x to y. Right: the same "
            f"task embedding together with one of {chunks} chunk embeddings enters a smaller network h, which writes one "
            f"of {chunks} chunks of the same weights; every chunk has an embedding of its own and all use the same h."
        ),
        caption=(
            "A task-conditioned hypernetwork, after Figure 1 of {cite:t}`vonoswald2020`. Blue: the weights θ that all "
            "tasks share, chunk embeddings included. Orange: the task embedding that learns; those of earlier tasks, grey, are frozen."
        ),
    )


def protected_replay() -> Drawing:
    """The replay model, what its images are used for in HNET+R and HNET+TIR, and the adversarial variant."""
    figure, axes = canvas(7.0, 3.75)
    for y, name in ((3.55, "replay model (VAE)"), (1.55, "use of its images")):
        axes.text(0.1, y, name, weight="bold", color=INK, va="center")
    axes.text(4.3, 3.55, "replay model (GAN)", weight="bold", color=INK, va="center")

    row = 2.05
    axes.text(0.15, row + 0.2, "$x^{(T)}$", ha="left", va="center", color=INK)
    arrow(axes, (0.55, row + 0.2), (0.75, row + 0.2))
    box(axes, 0.75, row, 0.8, 0.4, "encoder")
    arrow(axes, (1.55, row + 0.2), (2.2, row + 0.2))
    axes.text(1.87, row + 0.3, "z", ha="center", color=INK)
    box(axes, 2.2, row, 0.8, 0.4, "decoder", BLUE)
    arrow(axes, (3.0, row + 0.2), (3.3, row + 0.2))
    axes.text(3.35, row + 0.2, "$\\tilde x$", ha="left", va="center", color=INK)
    _generator(axes, 2.6, row + 0.4)

    axes.text(4.3, row + 0.2, "z", ha="left", va="center", color=INK)
    arrow(axes, (4.45, row + 0.2), (4.75, row + 0.2))
    box(axes, 4.75, row, 0.85, 0.4, "generator", BLUE)
    arrow(axes, (5.6, row + 0.2), (5.95, row + 0.2))
    box(axes, 5.95, row, 0.95, 0.4, "discriminator", fontsize=8)
    _generator(axes, 5.17, row + 0.4)

    for y, name, network, target in (
        (0.85, "HNET+TIR", "inference network", "task of the image"),
        (0.2, "HNET+R", "classifier", "soft targets of its own copy"),
    ):
        axes.text(0.15, y + 0.2, name, va="center", color=INK)
        axes.text(1.15, y + 0.2, "$x^{(T)}$, $\\tilde x^{(1)} \\ldots \\tilde x^{(T-1)}$", va="center", color=INK, fontsize=9)
        arrow(axes, (2.6, y + 0.2), (2.9, y + 0.2))
        box(axes, 2.9, y, 1.4, 0.4, network)
        arrow(axes, (4.3, y + 0.2), (4.6, y + 0.2))
        axes.text(4.68, y + 0.2, target, va="center", color=INK, fontsize=9)
    return Drawing(
        figure,
        alt=(
            "Three diagrams. First, a variational autoencoder: the current task's images go through an encoder to z and "
            "through a decoder to generated images; the decoder's weights are written by a hypernetwork from the task's "
            "embedding. Second, an adversarial pair: the generator's weights are written in the same way, the "
            "discriminator is an ordinary network. Third, the use of the images: the current task's images and generated "
            "images of all earlier tasks train an inference network that names the task (HNET+TIR), or an ordinary "
            "classifier on the soft targets of its own earlier copy (HNET+R)."
        ),
        caption=(
            "Replay that a hypernetwork protects, after Figure A1 of {cite:t}`vonoswald2020`. Blue: networks whose weights "
            "are generated and held in place by the output regulariser; the others are trained in the ordinary way."
        ),
    )


def _weights(axes, x: float, y: float, width: float, height: float, chunks: int, chosen: int = 0) -> None:
    """A column of chunks, the chosen one (from the top) filled."""
    part = height / chunks
    for j in range(chunks):
        at = y + height - (j + 1) * part
        axes.add_patch(Rectangle((x, at), width, part, facecolor=BLUE if j == chosen else PALE, edgecolor="white", lw=1))


def _target(axes, x: float, y: float, arrow_from: tuple[float, float]) -> None:
    """The target network with its input and output; its weights come from above."""
    box(axes, x, y, 0.84, 0.5, "$f(x;\\Theta_\\mathrm{trgt})$", fontsize=8.5)
    arrow(axes, arrow_from, (arrow_from[0], y + 0.5))
    axes.text(x - 0.42, y + 0.25, "x", ha="center", va="center", color=INK)
    arrow(axes, (x - 0.32, y + 0.25), (x, y + 0.25))
    arrow(axes, (x + 0.84, y + 0.25), (x + 1.08, y + 0.25))
    axes.text(x + 1.14, y + 0.25, "y", va="center", color=INK)


def _generator(axes, x: float, y: float) -> None:
    """A task embedding and the hypernetwork that writes the weights of the box below (x, y)."""
    box(axes, x - 1.25, y + 0.4, 0.5, 0.32, "$e^{(T)}$", ORANGE)
    arrow(axes, (x - 0.75, y + 0.56), (x - 0.35, y + 0.56))
    box(axes, x - 0.35, y + 0.4, 0.7, 0.32, "$h(e;\\theta)$", BLUE, fontsize=8.5)
    arrow(axes, (x, y + 0.4), (x, y))
