"""`unforget list` and `unforget missing`: what there is, what is recorded, what is not."""

from dataclasses import replace
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    app.command("list")(list_)
    app.command()(missing)


def list_(
    id: Annotated[
        str, typer.Argument(metavar="ID", help="Only hrn, or the runs of one experiment, as hnet/split-mnist.")
    ] = "",
) -> None:
    """Experiments, what each regenerates, what is recorded, what it costs.

    [bold]Examples[/bold]

      unforget list
        experiment           smoke     lite         paper
          what it regenerates
        hnet/toy-regression  2/8, 5 s  20/20, 54 s  80/80, 4 min
          Figure 2a-c
      unforget list hrn                 the experiments of one paper
      unforget list hnet/split-mnist    its runs, and what they train
        run      smoke         lite        paper         method
        ewc-cl1  0/2, seconds  5/5, 1 min  5/20, 18 min  EWC, CL1

    5/20 means that 5 of 20 declared replicas are recorded. Profiles: smoke
    (embedded data), lite (real data, less training), paper (its protocol).
    Times are for all declared replicas on one CPU thread: recorded ones, or in
    proportion to what was measured. Where nothing tells, there is no time; at
    smoke there is "seconds", since a replica is made to take no longer.
    """
    from rich.table import Table
    from rich.text import Text

    from unforget.cli.words import print_whole
    from unforget.experiments import catalogue
    from unforget.experiments.spec import PROFILES
    from unforget.experiments.status import minutes_text, status, total

    def state(experiment, runs, profile: str) -> str:
        found = [status(experiment, run, profile) for run in runs]
        recorded, declared = (sum(len(getattr(one, what)) for one in found) for what in ("recorded", "declared"))
        minutes = total(one.declared_minutes for one in found)
        if minutes is None:
            return f"{recorded}/{declared}" + (", seconds" if profile == "smoke" else "")
        return f"{recorded}/{declared}, {minutes_text(minutes)}"

    if not id or id in catalogue.PAPERS:
        of = catalogue.of_paper(id) if id else catalogue.EXPERIMENTS.values()
        rows = [(e.id, e, e.runs, ()) for e in of]
        below = ["what it regenerates", *(e.regenerates for e in of)]
        table = Table("experiment", *PROFILES, box=None, pad_edge=False)
        more = "the runs of one: unforget list hnet/split-mnist"
    else:
        experiment, runs = catalogue.find(id)
        print(f"{experiment.id}: {experiment.title}\nregenerates {experiment.regenerates}\n")
        rows = [(run.name, experiment, (run,), (Text(run.title),)) for run in runs]
        below = ()
        table = Table("run", *PROFILES, "method", box=None, pad_edge=False)
        more = f"train one: unforget run {experiment.id}/{runs[0].name} --profile lite"
    for name, experiment, runs, words in rows:
        table.add_row(name, *(state(experiment, runs, profile) for profile in PROFILES), *words)
    print_whole(table, below)
    print("\nrecorded/declared replicas, and time for all declared ones on one CPU thread, where it was measured")
    print('"seconds": not measured; smoke is made so that a replica takes no longer')
    print(more)


def missing(
    id: Annotated[
        str, typer.Argument(metavar="ID", help="Only of hrn, hnet/split-mnist or hnet/split-mnist/hnet.")
    ] = "",
    profile: Annotated[str, typer.Option(help="smoke, lite or paper.")] = "paper",
) -> None:
    """What is not recorded yet, cheapest first, with its cost and command.

    [bold]Examples[/bold]

      unforget missing --profile paper
        CPU     replicas  command
        14 min  15 of 20  unforget run hnet/split-mnist/si-cl1
                          --profile paper --seeds 5-19
      unforget missing hnet/split-mnist

    CPU is the estimate for the missing replicas on one thread. GPU, where there
    is one, is what all replicas of a run took together in a recorded run on one.
    """
    from rich.table import Table

    from unforget.cli.words import print_whole
    from unforget.errors import choose
    from unforget.experiments import catalogue, status
    from unforget.experiments.spec import PROFILES
    from unforget.words import count

    choose("profile", profile, PROFILES)
    asked = catalogue.EXPERIMENTS.values()
    if id in catalogue.PAPERS:
        asked = catalogue.of_paper(id)
    elif id:
        experiment, runs = catalogue.find(id)
        asked = [replace(experiment, runs=runs)]
    found = status.missing(asked, profile)
    if not found:
        print(f"profile {profile}: everything is recorded")
        return
    gpu = any(one.gpu_minutes is not None for one in found)
    table = Table("CPU", *(["GPU"] if gpu else []), "replicas", "command", box=None, pad_edge=False)
    for one in found:
        times = [status.minutes_text(minutes) for minutes in (one.missing_minutes, one.gpu_minutes)]
        table.add_row(*times[: 1 + gpu], f"{len(one.missing)} of {len(one.declared)}", one.command)
    print_whole(table)
    replicas = sum(len(one.missing) for one in found)
    known = [one.missing_minutes for one in found if one.missing_minutes is not None]
    costs = [f"about {status.minutes_text(sum(known))} on one CPU thread"] if known else []
    if len(known) < len(found):
        costs.append(f"{count(len(found) - len(known), 'run')} of unknown time")
    print(f"\nprofile {profile}: {count(replicas, 'replica')} of {count(len(found), 'run')}, {', '.join(costs)}")
