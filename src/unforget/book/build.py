"""Execute, compare, assemble, build, check: what `make book` and `make test` do to the book."""

import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from unforget.book import assemble, fragments, golden  # noqa: F401  fragments: registers the generated pages
from unforget.book import check as site_checks
from unforget.book.execute import Executed, execute_all
from unforget.book.notebook import machine_paths, read, write
from unforget.errors import UnforgetError, choose
from unforget.experiments.spec import PROFILES
from unforget.words import count


def _say(line: str) -> None:
    """Print at once: through a pipe, as in continuous integration, lines would arrive together at the end."""
    print(line, flush=True)


@dataclass
class Report:
    """What a build did: `page` is the page to open (None if no site was built), `problems` one line each."""

    profile: str
    notebooks: list[Executed] = field(default_factory=list)
    page: Path | None = None
    problems: list[str] = field(default_factory=list)
    missing: Sequence[str] = ()
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether there was no problem."""
        return not self.problems

    def __str__(self) -> str:
        lines = [
            f"{notebook.seconds:8.1f} s  {'/'.join(notebook.notebook.parts[-3:])}"
            f"{'' if notebook.output else '  FAILED'}"
            for notebook in self.notebooks
        ]
        lines += [f"{self.seconds:8.1f} s  in all, profile {self.profile}"]
        if self.missing:
            lines += [
                f"not recorded at profile {self.profile} ({len(self.missing)}):",
                *map("  {}".format, self.missing),
            ]
        if self.problems:
            lines += [f"{count(len(self.problems), 'problem')}:", *map("  {}".format, self.problems)]
        if any(problem.startswith("stale") for problem in self.problems):
            lines += ["if the new outputs are right, make them the goldens: make accept"]
        if self.page:
            lines += [f"open {self.page}"]
        return "\n".join(lines)


def repository(start: Path | None = None) -> Path:
    """The repository that holds the book, looked for upwards from `start`, else from here and this file."""
    for begin in [start] if start else [Path.cwd(), Path(__file__)]:
        for folder in (begin.resolve(), *begin.resolve().parents):
            if (folder / "_config.yml").exists() and (folder / "book" / "_toc.yml").exists():
                return folder
    raise UnforgetError(
        "no book here: run this in a clone of the repository (a folder with _config.yml and book/)"
    )


def build(
    profile: str = "smoke",
    compute: bool = False,
    workers: int = 2,
    accept: bool = False,
    *,
    root: Path | None = None,
    missing: Sequence[str] = (),
    say: Callable[[str], None] = _say,
) -> Report:
    """Execute every notebook once and build the site into `_build/<profile>/html`.

    At the profiles lite and paper the notebooks read recorded runs; with `compute` they train what is
    missing. `missing` are lines that name runs not yet recorded, with their cost; they are shown. `accept`
    (profile smoke only) writes the executed notebooks over the committed ones.
    """
    return _run(profile, compute, workers, accept, root, missing, say, checks=False)


def check(workers: int = 2, *, root: Path | None = None, say: Callable[[str], None] = _say) -> Report:
    """`build` at smoke, and with the same one execution: committed notebooks not stale, the site sound."""
    return _run("smoke", False, workers, False, root, (), say, checks=True)


def _run(profile, compute, workers, accept, root, missing, say, checks) -> Report:
    choose("profile", profile, PROFILES)
    if accept and profile != "smoke":
        raise UnforgetError(
            f"only outputs of profile smoke are committed; accept was asked for at {profile!r}"
        )
    if workers < 1:
        raise UnforgetError(f"workers must be at least 1; got {workers}")
    root = repository(root)
    start = time.perf_counter()
    work = root / "_build" / profile
    report = Report(profile, missing=missing)
    figures = work / "figures"
    shutil.rmtree(figures, ignore_errors=True)
    figures.mkdir(parents=True)
    sources = assemble.notebooks(root)
    say(f"executing {count(len(sources), 'notebook')} at profile {profile}, {workers} side by side")
    jobs = [
        (path, work / path.relative_to(root), work / "logs" / path.relative_to(root).with_suffix(".txt"))
        for path in sources
    ]
    report.notebooks = execute_all(
        jobs,
        {"profile": profile, "compute": compute},
        workers=workers,
        variables={"UNFORGET_FIGURES": str(figures)},
        say=say,
    )
    report.problems += [f"failed: {done.error}" for done in report.notebooks if done.error]
    for done in report.notebooks:
        if done.output and (accept or checks):
            report.problems += _compare(done, root, accept)
    if all(done.output for done in report.notebooks):
        _site(report, root, work, checks, say)
    else:
        report.problems.append("no site was built, since a notebook failed; the others' results are kept")
    report.seconds = time.perf_counter() - start
    return report


def _compare(done: Executed, root: Path, accept: bool) -> list[str]:
    """Problems of one executed notebook against its golden; with `accept` it becomes the golden."""
    executed, name = read(done.output), done.notebook.relative_to(root).as_posix()
    places = machine_paths(executed, {str(root), str(Path.home()), sys.prefix, tempfile.gettempdir()} - {"/"})
    if accept and not places:
        write(executed, done.notebook)
    found = [] if accept else golden.stale(read(done.notebook), executed, name)
    return [*(f"{name}: {place}" for place in places), *(f"stale: {difference}" for difference in found)]


def _site(report: Report, root: Path, work: Path, checks: bool, say: Callable[[str], None]) -> None:
    say("building the site")
    html, warnings = assemble.build_site(assemble.assemble(root, work), work)
    report.page = html / "index.html"
    report.problems += [f"Jupyter Book: {warning}" for warning in warnings]
    if checks:
        report.problems += site_checks.all_checks(html)
