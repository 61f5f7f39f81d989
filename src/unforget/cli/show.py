"""`unforget list` and `unforget missing`: what there is, what is recorded, what is not."""

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    app.command("list")(list_)
    app.command()(missing)


def list_(
    id: Annotated[str, typer.Argument(metavar="[ID]", help="Show the runs of one, as hnet/split-mnist.")] = "",
) -> None:
    """Experiments, what each regenerates, what is recorded, what it costs.

    [bold]Examples[/bold]

      unforget list
        experiment           regenerates  smoke     lite         paper
        hnet/toy-regression  Figure 2a-c  2/8, 5 s  20/20, 54 s  80/80, 4 min
      unforget list hnet/split-mnist
        ewc-cl1              EWC, CL1     0/2, 1 s  5/5, 4 min   5/20, 18 min

    5/20 means that 5 of 20 declared replicas are recorded. Profiles: smoke
    (embedded data), lite (real data, fewer seeds), paper (its protocol).
    Times are for all replicas on one CPU thread, estimated from measured runs.
    """
    from rich.console import Console
    from rich.table import Table

    from unforget.experiments import catalogue
    from unforget.experiments.spec import PROFILES
    from unforget.experiments.status import minutes_text, status

    def state(experiment, runs, profile: str) -> str:
        found = [status(experiment, run, profile) for run in runs]
        recorded, declared = (sum(len(getattr(one, what)) for one in found) for what in ("recorded", "declared"))
        cost = sum(one.cpu_minutes * len(one.declared) for one in found)
        return f"{recorded}/{declared}, {minutes_text(cost)}"

    if id:
        experiment, runs = catalogue.find(id)
        rows = [(run.name, run.title, experiment, (run,)) for run in runs]
    else:
        rows = [(e.id, e.regenerates, e, e.runs) for e in catalogue.EXPERIMENTS.values()]
    table = Table("run" if id else "experiment", "method" if id else "regenerates", *PROFILES, box=None, pad_edge=False)
    table.columns[0].no_wrap = True
    for name, words, experiment, runs in rows:
        table.add_row(name, words, *(state(experiment, runs, profile) for profile in PROFILES))
    Console(highlight=False).print(table)
    if not id:
        print("\nrecorded/declared replicas, and minutes for all of them on one CPU thread")
        print("the runs of one: unforget list hnet/split-mnist")


def missing(
    profile: Annotated[str, typer.Option(help="smoke, lite or paper.")] = "paper",
) -> None:
    """What is not recorded yet, cheapest first, with its cost and command.

    [bold]Example[/bold]

      unforget missing --profile paper
        CPU     GPU           replicas  command
        14 min  not measured  15 of 20  unforget run hnet/split-mnist/si-cl1
                                        --profile paper --seeds 5-19

    CPU is the estimate for the missing replicas on one thread. GPU is what all
    replicas of the run took together in a recorded run on one.
    """
    from rich.console import Console
    from rich.table import Table

    from unforget.errors import choose
    from unforget.experiments import catalogue, status
    from unforget.experiments.spec import PROFILES

    choose("profile", profile, PROFILES)
    found = status.missing(catalogue.EXPERIMENTS.values(), profile)
    if not found:
        print(f"profile {profile}: everything is recorded")
        return
    table = Table("CPU", "GPU", "replicas", "command", box=None, pad_edge=False)
    table.columns[-1].no_wrap = True
    for one in found:
        table.add_row(
            status.minutes_text(one.missing_minutes), status.minutes_text(one.gpu_minutes),
            f"{len(one.missing)} of {len(one.declared)}", one.command,
        )  # fmt: skip
    # As wide as it needs: a command must stay on its line to be copied.
    Console(highlight=False, width=max(Console().width, Console(width=500).measure(table).maximum)).print(table)
    count = sum(len(one.missing) for one in found)
    total = status.minutes_text(sum(one.missing_minutes for one in found))
    print(f"\nprofile {profile}: {count} replicas of {len(found)} runs, about {total} on one CPU thread")
