"""`unforget run`: train what is not recorded yet."""

import os
import re
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

INTERRUPTED = 130
QUIET_SECONDS = 30  # between two lines of progress where nobody watches a terminal


def register(app: typer.Typer) -> None:
    app.command()(run)


def run(
    id: Annotated[str, typer.Argument(metavar="ID", help="As hnet/split-mnist, or one run: hnet/split-mnist/ewc-cl1; hnet/ may be left out.")],
    profile: Annotated[str, typer.Option(help="smoke (embedded data), lite or paper.")] = "smoke",
    seeds: Annotated[str, typer.Option(help="As 0-4, 7 or 0-4,7.", show_default="those of the profile")] = "",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    workers: Annotated[int, typer.Option(help="Processes, each of one thread; as many as there are cores.")] = 1,
    scheduler: Annotated[str, typer.Option(help="A Dask scheduler to train at instead, as tcp://host:8786.")] = "",
    budget: Annotated[str, typer.Option(help="Stop after this time: 90s, 8m or 1h30m.")] = "",
    group: Annotated[int, typer.Option(help="Replicas that train together.", show_default="by device")] = 0,
    again: Annotated[bool, typer.Option("--again", help="Train recorded seeds again, and replace them.")] = False,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="OPTION=VALUE", help="Change an option: a custom run.")
    ] = None,
    results: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Where records go.", show_default="data/results of this project"),
    ] = None,
) -> None:
    """Train the replicas that are not recorded yet, and record them.

    [bold]Examples[/bold]

      unforget run hnet/toy-regression
      unforget run hnet/split-mnist --profile paper --workers 2 --budget 8m
      unforget run hnet/split-mnist/ewc-cl1 --profile paper --seeds 5-19
        recorded data/results/split-mnist/ewc-cl1/paper.json
        hnet/split-mnist/ewc-cl1  CL1  99.03 ± 0.09 %  (20 seeds)
      unforget run hnet/split-mnist/hnet --profile lite --set beta=0.1
      unforget run hnet/split-mnist --profile paper --device cuda
      unforget run hnet/split-mnist/hnet --profile lite --results trial
      unforget run hnet/split-mnist --profile paper --scheduler tcp://host:8786

    Ctrl-C, or the budget, stops it with everything saved; it then prints the
    command that goes on from there. A replica's numbers depend on its seed and
    options alone, not on workers, groups or interruptions. A run with changed
    options is custom: recorded, but never in a table of the paper. In the
    project's data/results, git ignores records of smoke and custom runs.

    ± is the standard error over seeds.
    """
    from unforget.errors import UnforgetError
    from unforget.experiments import catalogue, changes, executor, status
    from unforget.experiments.spec import replicas, seed_range
    from unforget.words import count

    for name, value, least in (("--workers", workers, 1), ("--group", group, 0)):
        if value < least:
            raise UnforgetError(f"{name} must be at least 1; got {value}")
    if scheduler and workers != 1:
        raise UnforgetError("--scheduler brings its own workers; leave --workers out")
    limit = seconds(budget) if budget else None
    experiment, runs = catalogue.find(id)
    id = experiment.id if len(runs) > 1 else f"{experiment.id}/{runs[0].name}"  # in full, however it was written
    chosen = seed_range(seeds) if seeds else experiment.profile(profile).seeds
    values = changes.read(set_ or ())
    if results:
        _check_folder(results)
    jobs = executor.plan(
        experiment, runs, profile, chosen, device, values, group or None, again, results, elsewhere=bool(scheduler)
    )
    todo = sum(len(job.seeds) for job in jobs)
    skipped = sum(len(replicas(chosen, run.scan)) for run in runs) - todo
    if skipped:
        print(
            f"{skipped:,} of {count(skipped + todo, 'replica')} already recorded and skipped (to train again: --again)"
        )
    outcome = None
    if jobs:
        cost = None if values else _minutes(experiment, profile, jobs)
        about = "" if cost is None else f", about {status.cost_text(cost)}"
        print(f"{id}, profile {profile}: {count(todo, 'replica')} in {count(len(jobs), 'group')}{about}", flush=True)
        with _Progress(todo) as progress:
            outcome = executor.execute(jobs, workers, scheduler or None, limit, results, report=progress)
    _summarise(experiment, runs, profile, values, outcome.written if outcome else (), results)
    if outcome and outcome.unfinished:
        left = sum(len(job.seeds) for job in outcome.unfinished)
        why = "interrupted" if outcome.interrupted else f"the budget of {budget} is used up"
        print(f"\n{why}: {todo - left:,} of {count(todo, 'replica')} recorded")
        print("What was begun is saved as far as it got. To go on from there:")
        given = {
            "--profile": profile, "--seeds": seeds, "--device": device if device != "auto" else "",
            "--workers": str(workers) if workers != 1 else "", "--scheduler": scheduler, "--budget": budget,
            "--group": str(group) if group else "", "--results": str(results or ""),
        }  # fmt: skip
        for command in _resume(id, given, set_ or (), again, outcome.unfinished):
            print(f"  {command}")
        if outcome.interrupted:
            raise typer.Exit(INTERRUPTED)


def seconds(text: str) -> float:
    """Seconds in "90s", "8m", "2h" or "1h30m". Raises `UnforgetError` for anything else, and for no time at all."""
    from unforget.errors import UnforgetError

    found = re.fullmatch(r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s)?", text.strip(), re.ASCII)
    parts = found.groups() if found else (0, 0, 0)
    total = sum(float(part or 0) * unit for part, unit in zip(parts, (3600, 60, 1), strict=True))
    if total <= 0:
        raise UnforgetError(f"cannot read the budget {text!r}; write it as 90s, 8m or 1h30m")
    return total


def _resume(id: str, given: dict[str, str], settings, again: bool, unfinished) -> list[str]:
    """The commands that go on: the same one, or with --again one per run for what is left of it."""
    from unforget.experiments.spec import seed_text

    def command(id: str, options: dict[str, str]) -> str:
        words = [word for name, value in options.items() if value for word in (name, value)]
        words += [word for setting in settings for word in ("--set", setting)]
        return shlex.join(["unforget", "run", id, *words, *(["--again"] if again else [])])

    if not again:
        return [command(id, given)]
    left: dict[str, list] = {}
    for job in unfinished:
        left.setdefault(_name(job), []).append(job)
    parent = "/".join(id.split("/")[:2])
    return [
        command(
            f"{parent}/{name}",
            # groups as they were: a checkpoint belongs to its group of seeds
            given | {"--seeds": seed_text({s for job in jobs for s in job.seeds}), "--group": str(len(jobs[0].seeds))},
        )
        for name, jobs in left.items()
    ]


def _minutes(experiment, profile: str, jobs) -> float | None:
    """Estimated minutes of these jobs on one CPU thread; None where nothing was measured that tells."""
    from unforget.experiments import status

    each = {name: status.replica_minutes(experiment, experiment.run(name), profile) for name in set(map(_name, jobs))}
    return None if None in each.values() else sum(len(job.seeds) * each[_name(job)] for job in jobs)


def _name(job) -> str:
    """The name of a job's run, without that of its experiment."""
    return job.config["run"].rpartition("/")[2]


def _check_folder(folder: Path) -> None:
    """Refuse a folder that records could not be written to, before anything is trained."""
    from unforget.errors import UnforgetError

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnforgetError(f"cannot write to --results {folder}: {error.strerror}") from None
    if not os.access(folder, os.W_OK):
        raise UnforgetError(f"cannot write to --results {folder}: no permission")


def _summarise(experiment, runs, profile: str, values, written: tuple[Path, ...], results: Path | None) -> None:
    """Where records were written, and the final mean ± standard error over seeds per view."""
    from unforget import records
    from unforget.cli.words import ERROR, mean_text, scanned
    from unforget.data.files import project_root
    from unforget.experiments import executor
    from unforget.results import measured

    for path in written:
        print(f"recorded {path.relative_to(project_root()) if path.is_relative_to(project_root()) else path}")
    several = False
    for run in runs:
        path = executor.record_path(experiment.resolve(run, profile, values), results)
        if not path.exists():
            continue
        record = records.load(path)
        for view in record["config"]["views"]:
            final = measured.metric(records.scores(record, view), "final")
            for scan, rows in scanned(record).items():
                several |= len(rows) > 1
                print(f"{experiment.id}/{run.name}  {view}{scan}  {mean_text(final[rows], view)}")
        for replica in record["replicas"]:
            if not replica["finite"]:
                print(f"warning: seed {replica['seed']} of {experiment.id}/{run.name} diverged", file=sys.stderr)
    if several:
        print(ERROR)


class _Progress:
    """A bar over all replicas on stderr: callable as (replicas done, where). Few lines where stderr is no terminal.

    It appears with the first report, so that a refusal before that is the only line.
    """

    def __init__(self, total: int):
        self.total, self.bar = total, None

    def __call__(self, done: float, where: str) -> None:
        if self.bar is None:
            from tqdm import tqdm

            self.bar = tqdm(
                total=self.total, initial=done,  # what a checkpoint brings says nothing about the rate
                unit="replica", dynamic_ncols=True, smoothing=0.1, file=sys.stderr,
                mininterval=0.2 if sys.stderr.isatty() else QUIET_SECONDS,
                bar_format="{percentage:3.0f}%|{bar:20}| {n:.1f}/{total} replica" + "s" * (self.total != 1) + " "
                           "[{elapsed}<{remaining}, {rate_fmt}]{postfix}",
            )  # fmt: skip
        self.bar.set_postfix_str(where, refresh=False)
        self.bar.update(max(0.0, done - self.bar.n))

    def __enter__(self) -> "_Progress":
        return self

    def __exit__(self, *error: object) -> None:
        if self.bar is not None:
            self.bar.close()
