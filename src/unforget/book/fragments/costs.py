"""Cost: what each recorded run took, on which device, and whether the code has changed since."""

from unforget import records
from unforget.book import pages
from unforget.book.fragments.common import Results, escape, gather, mark, notebook, table
from unforget.errors import UnforgetError
from unforget.experiments import catalogue
from unforget.experiments.spec import seed_text
from unforget.records import Record
from unforget.results import cost as costs
from unforget.words import count

_HEADER = ("run", "seeds", "s per replica", "peak MiB", "parameters", "date", "commit", "code")


@pages.page("costs")
def page() -> str:
    return text(gather())


def text(results: Results) -> str:
    if not results.records:
        return "Nothing is recorded yet."
    groups: dict[str, list[Record]] = {}
    for record in sorted(results.records, key=_order):
        groups.setdefault(_experiment(record), []).append(record)
    replicas = sum(len(record["replicas"]) for record in results.records)
    minutes = sum(records.seconds(block) for record in results.records for block in record["run"]) / 60
    took = f"{minutes / 60:.1f} hours" if minutes >= 90 else f"{minutes:.0f} minutes"
    parts = [
        f"{count(len(results.records), 'recorded run')} of all profiles with {count(replicas, 'replica')} took {took} of "
        "training and evaluation: processor time on a CPU where it was noted, else time on the clock. "
        "Replicas that trained together share it evenly. Memory is the peak of the process, whatever else it "
        "had loaded."
    ]
    parts += [_table(name, found) for name, found in groups.items()]
    return "\n\n".join(parts)


def _experiment(record: Record) -> str:
    """The title of the experiment; the name of its folder where it is no longer declared."""
    try:
        return catalogue.of(record["config"]["run"])[0].title
    except UnforgetError:
        return escape(record["config"]["run"].rpartition("/")[0])


def _order(record: Record) -> tuple:
    """Experiments and runs as they are declared, others at the end."""
    run = record["config"]["run"]
    declared = [f"{e.name}/{r.name}" for e in catalogue.EXPERIMENTS.values() for r in e.runs]
    return (declared.index(run) if run in declared else len(declared), run, catalogue.label(record["config"]))


def _table(name: str, found: list[Record]) -> str:
    """The runs of one experiment; what all have in common stands in the caption, what differs in the row."""
    common, own = [name], []
    for told in (
        [f"profile {catalogue.label(record['config'])}" for record in found],
        [*map(_devices, found)],
    ):
        if len(set(told)) == 1:
            common.append(told[0])
        else:
            own.append(told)
    rows = []
    for number, record in enumerate(found):
        run, *rest = _row(record)
        rows.append((", ".join([run, *(told[number] for told in own)]), *rest))
    return table(_HEADER, rows, "llrrrlll", "numbers full-width", ", ".join(common))


def _devices(record: Record) -> str:
    return escape(" and ".join(sorted({device(block) for block in record["run"]})))


def _row(record: Record) -> tuple[str, ...]:
    run, cost = record["config"]["run"], costs.of(record)
    return (
        notebook(run, run.rpartition("/")[2]),
        seed_text(set(records.seeds(record)), "–", ", "),
        f"{cost.seconds:.1f}",
        f"{cost.memory:,}",
        cost.parameters,
        " to ".join(dict.fromkeys((cost.dates[0], cost.dates[-1]))),
        ", ".join(f"`{commit}`" for commit in cost.commits) or "–",
        _badge(cost),
    )


def _badge(cost: costs.Cost) -> str:
    """`current` if all replicas come from the code as it stands; else how many do not."""
    if not cost.changed:
        return mark("current")
    part = "" if cost.changed == cost.replicas else f" ({cost.changed} of {cost.replicas} replicas)"
    return mark("changed", f"code changed since{part}")


def device(block: dict) -> str:
    """What a part of a run trained on, as in "Intel Xeon Processor, 1 thread"."""
    name = block["device"].replace("(R)", "").replace("(TM)", "")
    return f"{name}, {count(block['threads'], 'thread')}" if block["device_type"] == "cpu" else name
