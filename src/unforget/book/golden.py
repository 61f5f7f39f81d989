"""Is a committed notebook still what its code produces? nbval's comparison on one execution made elsewhere.

nbval would execute every notebook once more, and knows no tolerance. So its cell comparison
(`nbval.plugin.IPyNbCell.compare_outputs`) is given outputs that papermill already made, and values whose
equality allows for rounding. It leaves out stderr (progress bars, warnings); images are compared by presence,
size and alt text, since their bytes differ between platforms and releases of matplotlib.
"""

import base64
import re
import struct
from dataclasses import dataclass

from nbformat import NotebookNode
from nbval.plugin import IPyNbCell, coalesce_streams, nocolors

from unforget.book.notebook import INJECTED, source_sha, tags

RELATIVE = 0.02
"""How far a printed decimal may move, as a fraction of the larger one; one unit of its last place is free.

Another processor sums in another order; smoke runs are short, and accuracies on a few hundred test samples
move by a sample. A cell declares its own with the metadata `{"unforget": {"tolerance": 0.1}}`, which then
holds for whole numbers too; these are otherwise compared exactly, being counts and labels.
"""

VOLATILE = "volatile"
"""Tag of a cell whose outputs describe the run (times, host): only that it has outputs is compared."""

IMAGE_SIZE = 0.05
"""How far the width or height of an image may move: a tight bounding box follows the fonts."""

SANITISE = [  # what belongs to the run rather than to its result, wherever it is printed
    (r"data:image/[^\"')\s]+", "IMAGE"),
    (r"\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?", "DATE"),
    (r"\b\d[\d,.]*\s?(?:ns|µs|us|ms|s|sec|seconds?|min|minutes?|h|hours?)(?![\w/])", "TIME"),
    (r"\b\d[\d,.]*\s?(?:[kKMGT]i?B|bytes)\b", "MEMORY"),
    (r"(?i)\b(commit)(\W+)[0-9a-f]{7,40}\b", r"\1\2COMMIT"),
    (r"(?i)\b(host(?:name)?)(\W+)\S+", r"\1\2HOST"),
    (r"\b0x[0-9a-fA-F]+\b", "ADDRESS"),
    (r"\bT_[0-9a-f]{5}", "T_STYLE"),  # pandas' random id of a styled table
]
_SANITISE = [(re.compile(pattern), replacement) for pattern, replacement in SANITISE]
_NUMBER = re.compile(r"(?<![\w.])[-+−]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:[eE][-+]?\d+)?")
_PADDING = re.compile(r"\s+|-{2,}|─+")


@dataclass(frozen=True)
class Difference:
    """One reason why a golden is stale."""

    notebook: str
    cell: str
    what: str

    def __str__(self) -> str:
        return f"{self.notebook}{f', cell {self.cell}' if self.cell else ''}: {self.what}"


class Tolerant(str):
    """A text equal to another if they differ only in padding and, within `tolerance`, in their numbers."""

    tolerance: float
    exact_integers: bool

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and not _first_change(
            str(self), str(other), self.tolerance, self.exact_integers
        )

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None


class _Comparison:
    """The parts of an nbval test item that its comparison uses, without pytest's collection around it."""

    colors = nocolors
    skipped = ("metadata", "traceback", "prompt_number", "output_type", "name", "execution_count", "stderr")

    def __init__(self, tolerance: float | None):
        self.tolerance = tolerance
        self.parent = self
        self.skip_compare = self.skipped
        self.changes: list[str] = []

    def sanitize(self, value: object) -> object:
        if not isinstance(value, str):
            return value
        for pattern, replacement in _SANITISE:
            value = pattern.sub(replacement, value)
        text = Tolerant(value)
        text.tolerance = RELATIVE if self.tolerance is None else self.tolerance
        text.exact_integers = self.tolerance is None
        return text

    def format_output_compare(self, key: str, golden: object, executed: object) -> None:
        if isinstance(golden, Tolerant):
            change = _first_change(golden, executed, golden.tolerance, golden.exact_integers)
        else:
            change = f"{golden!r} became {executed!r}"
        self.changes.append(f"{key}: {change}")

    def run(self, golden: list[NotebookNode], executed: list[NotebookNode]) -> list[str]:
        kinds = {key for out in (*golden, *executed) for key in out.get("data", {}) if is_image(key)}
        self.skip_compare = (*self.skipped, *kinds)
        if not IPyNbCell.compare_outputs(self, executed, golden) and not self.changes:
            self.changes.append(" ".join(self.comparison_traceback)[:400])
        return self.changes


def is_image(mime: str) -> bool:
    """Whether a mime type is an image, glued images included."""
    return "image/" in mime


def _first_change(golden: str, executed: str, tolerance: float, exact_integers: bool) -> str:
    """The first difference in words or numbers as a short sentence, empty if there is none."""
    numbers = _NUMBER.findall(golden), _NUMBER.findall(executed)
    words = [[_PADDING.sub(" ", part).strip() for part in _NUMBER.split(text)] for text in (golden, executed)]
    for place in range(max(len(words[0]), len(words[1]))):
        old, new = (part[place] if place < len(part) else "(nothing)" for part in words)
        if old != new:
            return f"{_short(old)} became {_short(new)}"
        if place < len(numbers[0]) and place < len(numbers[1]):
            a, b = numbers[0][place], numbers[1][place]
            if not close(a, b, tolerance, exact_integers):
                return f"{a} became {b} (after {_short(old[-40:])})"
    return ""


def close(a: str, b: str, tolerance: float, exact_integers: bool = True) -> bool:
    """Whether two printed numbers agree: within `tolerance` of the larger, or one unit of the last place."""
    if a == b:
        return True
    if (
        exact_integers
        and a.lstrip("+-−").replace(",", "").isdigit()
        and b.lstrip("+-−").replace(",", "").isdigit()
    ):
        return False
    x, y = (float(text.replace(",", "").replace("−", "-")) for text in (a, b))
    unit = max(_unit(a), _unit(b))
    return abs(x - y) <= max(tolerance * max(abs(x), abs(y)), unit * 1.001)


def _unit(number: str) -> float:
    """Value of one unit in the last printed place."""
    mantissa, _, exponent = number.lower().partition("e")
    decimals = len(mantissa.partition(".")[2])
    return 10.0 ** (int(exponent or 0) - decimals) if decimals or exponent else 0.0


def _short(text: str) -> str:
    return repr(text if len(text) <= 80 else text[:77] + "...")


def stale(golden: NotebookNode, executed: NotebookNode, name: str = "notebook") -> list[Difference]:
    """Why a golden (the committed notebook) is stale, given the same notebook freshly executed."""
    stored = golden.metadata.get("unforget", {})
    if "source_sha" not in stored:
        return [Difference(name, "", "was committed without its outputs; accept an execution")]
    found, before, after = [], stored.get("parameters", {}), executed.metadata["unforget"]["parameters"]
    if stored["source_sha"] != source_sha(golden, before):
        found.append(Difference(name, "", "code cells or parameters changed since its outputs were made"))
    if before != after:
        found.append(Difference(name, "", f"made with parameters {before}, executed with {after}"))
    old, new = ([c for c in nb.cells if INJECTED not in tags(c)] for nb in (golden, executed))
    if [c.cell_type for c in old] != [c.cell_type for c in new]:
        return [*found, Difference(name, "", f"has {len(old)} cells, executed {len(new)}, or of other types")]
    for was, now in zip(old, new):
        if was.cell_type == "code":
            found += [Difference(name, now.id, change) for change in compare_cell(was, now)]
    return found


def compare_cell(golden: NotebookNode, executed: NotebookNode) -> list[str]:
    """Differences between the outputs of one code cell, each as a short sentence."""
    old, new = (_kept(cell) for cell in (golden, executed))
    if VOLATILE in tags(golden):
        return [] if bool(old) == bool(new) else ["has outputs in only one of golden and execution"]
    tolerance = golden.metadata.get("unforget", {}).get("tolerance")
    return _Comparison(tolerance).run(old, new) + compare_images(old, new)


def _kept(cell: NotebookNode) -> list[NotebookNode]:
    outputs = [NotebookNode(out) for out in cell.outputs if out.get("name") != "stderr"]
    return coalesce_streams(outputs)


def compare_images(golden: list[NotebookNode], executed: list[NotebookNode]) -> list[str]:
    """Differences between the images of two lists of outputs: number, kind, size, alt text."""
    old, new = (
        [
            (mime, data, out.get("metadata", {}).get(mime, {}).get("alt"))
            for out in outs
            for mime, data in sorted(out.get("data", {}).items())
            if is_image(mime)
        ]
        for outs in (golden, executed)
    )
    if [image[0] for image in old] != [image[0] for image in new]:
        return [f"images were {[i[0] for i in old]}, are {[i[0] for i in new]}"]
    found = []
    for (mime, was, alt_was), (_, now, alt_now) in zip(old, new):
        sizes = image_size(mime, was), image_size(mime, now)
        if any(abs(a - b) > IMAGE_SIZE * max(a, b) for a, b in zip(*sizes)):
            found.append(f"{mime}: size {sizes[0]} became {sizes[1]}")
        if (alt_was is None) != (alt_now is None) or _first_change(
            alt_was or "", alt_now or "", RELATIVE, True
        ):
            found.append(f"{mime}: alt text {alt_was!r} became {alt_now!r}")
    return found


def image_size(mime: str, data: str) -> tuple[float, float]:
    """Width and height of a PNG (pixels) or an SVG (its own units); (0, 0) for other kinds."""
    if mime.endswith("image/png"):
        header = base64.b64decode(data[:64])
        return tuple(map(float, struct.unpack(">II", header[16:24]))) if len(header) >= 24 else (0.0, 0.0)
    if mime.endswith("image/svg+xml"):
        box = re.search(r'viewBox="[\d.]+ [\d.]+ ([\d.]+) ([\d.]+)"', data)
        return (float(box[1]), float(box[2])) if box else (0.0, 0.0)
    return 0.0, 0.0
