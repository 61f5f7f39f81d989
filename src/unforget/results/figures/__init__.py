"""Figures of the book, made from records: one quiet style, alt text made from the data, and the data beside the picture."""

from unforget.results.figures.accuracy import accuracy_matrices, certainties, class_confusions, seeds, task_confusions
from unforget.results.figures.base import Plot, publish
from unforget.results.figures.compression import approximation, architectures, compression
from unforget.results.figures.curves import fitted_curves
from unforget.results.figures.embedding import embedding_planes
from unforget.results.figures.hashing import hash_products, hash_spreads, hash_tails
from unforget.results.figures.routing import bases, basis_events, routes
from unforget.results.figures.samples import drawn_images
from unforget.results.figures.sequences import drops, first_task, unit_usage

__all__ = [
    "Plot", "accuracy_matrices", "approximation", "architectures", "bases", "basis_events", "certainties", "class_confusions",
    "compression", "drawn_images", "drops", "embedding_planes", "first_task", "fitted_curves", "hash_products", "hash_spreads",
    "hash_tails", "publish", "routes", "seeds", "task_confusions", "unit_usage",
]  # fmt: skip
