"""Frames and figures of the sequences and ablations of Berjaoui (2020), from hand-made records and the printed numbers."""

import numpy as np
import pandas as pd
import pytest

from unforget.errors import UnforgetError
from unforget.experiments import catalogue
from unforget.experiments.hrn import CELLS
from unforget.results import figures, measured, paper
from unforget.results.hrn import ablations, sequences, usage
from unforget.section import Section

NAN = None
FIRST = [[0.9, NAN], [0.5, 0.8]]
SECOND = [[0.7, NAN], [0.6, 0.6]]


def record(run="fashion-mnist/hrn", *scores, profile="paper", usage=None, tests=(300, 100)):
    """A record of these accuracies [after][on], one replica for each."""
    experiment, declared = catalogue.of(run)
    config = experiment.resolve(declared, profile)
    replicas = [
        {"seed": seed, "scan": {}, "finite": True, "counts": {}, "probes": {"unit usage": (usage or {}).get(seed)},
         "scores": {"own classifier": own}}
        for seed, own in enumerate(scores)
    ]  # fmt: skip
    return {"config": config, "tests": list(tests), "replicas": replicas, "run": []}


HRN = record("fashion-mnist/hrn", FIRST, SECOND)
FOUND = {"hrn": HRN, "hrn-hash": record("fashion-mnist/hrn-hash", FIRST, profile="lite"), "unknown": HRN}


def test_printed_numbers_are_first_and_final_and_one_number_for_the_last_task():
    frame = sequences.printed("table-1c")
    assert list(dict.fromkeys(frame.row)) == ["VC", "EWC", "ELL", "HRN"]
    table = paper.load().query("paper == 'hrn' and artifact == 'table-1c' and row == 'ELL'").set_index("column")["mean"]
    ell = frame[frame.row == "ELL"]
    assert ell["first"].tolist() == [table["T0 first"], table["T1 final"]]
    assert ell.final.tolist() == [table["T0 final"], table["T1 final"]]


def test_cifar100_alone_stands_beside_the_tasks_after_svhn():
    alone, whole = (sequences.printed(artifact) for artifact in ("table-1a-cifar100-alone", "table-1a"))
    assert alone.task.min() == 1
    pd.testing.assert_frame_equal(alone, whole[whole.task > 0].reset_index(drop=True))


def test_records_give_every_seed_in_the_order_of_rows_and_no_other_runs():
    frame = sequences.of_records(FOUND, "table-1c")
    assert frame.values.tolist() == [
        ["HRN", 0, 0, 90, 50], ["HRN", 0, 1, 80, 80], ["HRN", 1, 0, 70, 60], ["HRN", 1, 1, 60, 60],
        ["HRN, hash only", 0, 0, 90, 50], ["HRN, hash only", 0, 1, 80, 80],
    ]  # fmt: skip


def test_the_table_has_paper_recorded_and_this_run_and_names_shorter_training():
    frame = sequences.table("table-1c", FOUND, {"hrn": record("fashion-mnist/hrn", FIRST)}, "smoke")
    own = frame[frame.row == "HRN"].set_index("source")
    assert list(own.index) == ["paper", "recorded", "this run (smoke)"]
    assert own.loc["recorded", ["seeds", "T0", "T1"]].tolist() == [2, "80.00 → 55.00", "70.00"]
    assert own.loc["this run (smoke)", "T0"] == "90.00 → 50.00"
    ours = sequences.table("table-1c", FOUND, {}, "smoke", sequences.OUR_ROWS)
    assert ours.values.tolist() == [["HRN, hash only", "recorded, lite", 1, "90.00 → 50.00", "80.00"]]


def test_tasks_that_a_short_stream_lacks_have_no_number():
    short = {"hrn": record("svhn-cifar100/hrn", FIRST)}
    line = sequences.table("table-1a", {}, short, "smoke", ["HRN"]).iloc[-1]
    assert line["T1"] == "80.00" and line["T10"] == "–"


def test_averages_over_images_weigh_tasks_by_their_test_sets():
    frame = sequences.averages("table-1c", FOUND, {}, "smoke").set_index("row")
    micro = 0.75 * np.array([50, 60]) + 0.25 * np.array([80, 60])
    error = micro.std(ddof=1) / 2**0.5
    assert frame.loc["HRN", "over images: recorded"] == f"{micro.mean():.2f} ± {error:.2f} (2)"
    assert frame.loc["HRN", "over tasks: recorded"].startswith("62.50 ±")
    assert frame.loc["HRN, hash only", "over images: recorded"] == "57.50 (1), lite"
    assert "HRN, Figure 1" not in frame.index and frame.loc["VC", "over images: recorded"] == "–"


@pytest.mark.parametrize("artifact", sequences.TESTS)
def test_printed_averages_are_those_that_claims_are_judged_by(artifact):
    frame = sequences.averages(artifact, {}, {}, "smoke").set_index("row")
    printed, paper_is = sequences.printed(artifact), sequences.paper_is(artifact)
    for row in sequences.PAPERS_ROWS:
        final = printed[printed.row == row].final.to_numpy()
        assert frame.loc[row, f"over tasks: {paper_is}"] == f"{final.mean():.2f}"
        weighted = sum(n * f for n, f in zip(sequences.TESTS[artifact], final, strict=True)) / sum(sequences.TESTS[artifact])
        assert float(frame.loc[row, f"over images: {paper_is}"]) == pytest.approx(weighted, abs=0.0051)


def test_tasks_after_svhn_are_called_so_in_both_tables():
    columns = sequences.averages("table-1a-cifar100-alone", {}, {}, "smoke").columns
    assert [c for c in columns if "paper" in c] == ["over images: paper, after SVHN", "over tasks: paper, after SVHN"]
    assert set(sequences.table("table-1a-cifar100-alone", {}, {}, "smoke").source) == {"paper, after SVHN"}


def test_whole_batches_of_test_images_are_the_most_that_can_be_printed():
    """The ceilings, counted batch by batch."""
    for artifact, sizes in sequences.TESTS.items():
        frame = sequences.ceilings(artifact)
        for batch in (16, 32) if "table-1a" in artifact else (16,):
            looked_at = [sum(batch for start in range(0, n, batch) if start + batch <= n) for n in sizes]
            most = [f"{100 * k / n:.2f}" for k, n in zip(looked_at, sizes, strict=True)]
            assert frame[f"most with batches of {batch}"].tolist() == most
            assert (frame["largest printed"].astype(float) <= frame[f"most with batches of {batch}"].astype(float)).all()
    pairs = sequences.ceilings("table-1b").set_index("task")
    assert pairs.index[pairs["is the most"] == "yes"].tolist() == ["T2"] and pairs.loc["T2", "whose"] == "VC"


def test_a_run_has_one_name_on_a_page():
    for artifact, (name, *_) in sequences.TABLES.items():
        experiment = catalogue.experiment(f"hrn/{name}")
        rows = {cell.run: cell.row for cell in CELLS if cell.artifact == artifact and not cell.variant}
        assert rows == {f"{name}/{run.name}": run.title for run in experiment.runs}


def test_stages_hold_the_first_task_and_all_images_seen():
    frame = sequences.stages({"hrn": HRN}, "table-1c")
    assert frame.values.tolist() == [
        ["HRN", 0, 0, 90, 90], ["HRN", 0, 1, 50, 57.5], ["HRN", 1, 0, 70, 70], ["HRN", 1, 1, 60, 60],
    ]  # fmt: skip


def test_usage_is_a_share_of_each_tasks_selections_and_seeds_may_differ_in_units():
    uses = {0: [[3, 1], [0, 0]], 1: [[1, 1, 2], [0, 4, 0]]}
    shares = usage.percentages(record("fashion-mnist/hrn", FIRST, SECOND, usage=uses))
    assert shares[0].tolist() == [[75, 25], [0, 0]] and shares[1].tolist() == [[25, 25, 50], [0, 100, 0]]
    assert usage.percentages(None) == {}


def test_seeds_that_diverged_are_named():
    lost = record("fashion-mnist/hrn", FIRST, SECOND)
    lost["replicas"][1]["finite"] = False
    table = sequences.table("table-1c", {"hrn": lost}, {"hrn": HRN}, "paper", ["HRN"])
    assert list(table.source) == ["paper", "recorded (1 of 2 seeds diverged)", "this run (paper)"]
    assert "1 of 2 seeds diverged" in " ".join(sequences.averages("table-1c", {"hrn": lost}, {}, "smoke").astype(str).sum())


def test_captions_say_what_was_trained_less():
    assert measured.recorded_at({}) == "Not recorded yet"
    assert measured.recorded_at({"HRN": HRN}) == "Recorded at the paper's protocol"
    assert measured.recorded_at(FOUND).endswith("(profile lite): hrn-hash")
    many = {str(n): FOUND["hrn-hash"] for n in range(4)} | {"HRN": HRN}
    assert measured.recorded_at(many) == "Recorded; with less training (profile lite) are 4 of 5"
    assert measured.recorded_at({"hash only": FOUND["hrn-hash"]}) == "Recorded with less training (profile lite)"


def test_a_caption_is_of_the_runs_that_are_drawn(monkeypatch):
    section = Section("hrn/fashion-mnist")
    monkeypatch.setattr(section, "recorded", FOUND | {"hrn-hash": record("fashion-mnist/hrn-hash", FIRST, profile="lite")})
    assert section.recorded_of(*sequences.PAPERS_RUNS) == section.recorded_of("hrn") == measured.recorded_at({"HRN": HRN})
    assert section.recorded_of("hrn-hash") == measured.recorded_at({"HRN, hash only": FOUND["hrn-hash"]})
    assert section.recorded_of("vc") == measured.recorded_at({})


def test_a_page_says_which_rows_are_recorded_and_which_are_open():
    assert sequences.PAPERS_RUNS == ("vc", "ewc", "ell", "hrn")
    assert sequences.so_far({}).startswith("Nothing of this sequence is recorded")
    some = sequences.so_far(FOUND)
    assert "Recorded: *HRN* (2 seeds) and *HRN, hash only* (1 seed, lite). Fewer than 3 seeds" in some
    assert "VC, EWC and ELL are missing" in some and "is open" in some
    whole = {name: record(f"fashion-mnist/{name}", FIRST, FIRST, SECOND) for name in sequences.PAPERS_RUNS}
    said = sequences.so_far(whole)
    assert "*ELL* (3 seeds) and *HRN* (3 seeds)" in said and "open" not in said and "Fewer" not in said
    assert "ELL is missing" in sequences.so_far({name: whole[name] for name in ("vc", "ewc", "hrn")})


def test_first_task_figure_says_its_means_and_draws_the_printed_ends():
    plot = figures.first_task(sequences.stages(FOUND, "table-1c"), sequences.printed("table-1c"))
    assert "HRN: first task 80.0 % after its training, 55.0 % at the end, all images then 58.8 %" in plot.alt
    axis = plot.figure.axes[0]
    assert [line.get_ydata().tolist() for line in axis.lines] == [[90, 50], [70, 60], [80, 55], [80, 58.75]]
    assert axis.collections[0].get_offsets().tolist() == [[0, 86.0], [1, 84.0]]  # arXiv Table 1, HRN on Fashion-MNIST
    assert len(plot.data) == 6
    assert figures.first_task(sequences.stages({}, "table-1c"), sequences.printed("table-1c")) is None


def test_printed_methods_come_first_and_a_row_of_panels_begins_below_its_lowest_number():
    low = record("fashion-mnist/hrn-longer", [[0.1, NAN], [0.0, 0.0]])
    found = {"hrn-longer": low, "hrn-hash": record("fashion-mnist/hrn-hash", [[0.99, NAN], [0.98, 0.98]]), "hrn": HRN}
    plot = figures.first_task(sequences.stages(found, "table-1c"), sequences.printed("table-1c"))
    titles = [axis.get_title().replace("\n", " ") for axis in plot.figure.axes if axis.get_title()]
    assert titles == ["HRN", "HRN, hash only", "HRN, twice the epochs"]
    printed, other = plot.figure.axes[0].get_ylim(), plot.figure.axes[2].get_ylim()
    assert 40 < printed[0] < 50 < 100 < printed[1] and other[0] < 0


def test_drops_are_bars_and_first_accuracies_dashes_on_an_axis_of_their_own():
    plot = figures.drops(sequences.of_records({"hrn": HRN}, "table-1c"))
    assert "HRN drop in points: T0 25.0; HRN first accuracy in %: T0 80.0, T1 70.0" in plot.alt
    drop, first = plot.figure.axes
    assert [bar.get_height() for bar in drop.patches] == [25] and not first.patches
    assert [dash[0, 1] for dash in first.collections[0].get_segments()] == [80, 70]
    assert 50 < first.get_ylim()[0] < 60
    assert drop.collections[0].get_offsets()[:, 1].tolist() == [40, 10]
    assert plot.data["drop"].tolist() == [40, 0, 10, 0]
    printed = figures.drops(sequences.printed("table-1a"))
    assert "HRN drop in points: T0 0.5" in printed.alt and "EWC drop in points: T0 67.6, T1 -6.1" in printed.alt
    assert figures.drops(sequences.of_records({}, "table-1c")) is None


def test_usage_figure_says_the_mean_of_every_unit():
    plot = figures.unit_usage({"seed 0": np.array([[75.0, 25.0], [25.0, 75.0]]), "seed 1": np.array([[100.0], [100.0]])}, 1)
    assert "seed 0, mean over tasks: U0 50 %, U1 50 %" in plot.alt and "seed 1, mean over tasks: U0 100 %" in plot.alt
    assert plot.data.values.tolist()[1] == ["seed 0", 1, 1, 25.0] and len(plot.data) == 6
    assert figures.unit_usage({}) is None


def test_printed_ablations_keep_their_decimals():
    table = ablations.printed()
    assert table.shape == (12, 4) and table.loc["Baseline", "T0 accuracy"] == "96.41"
    assert list(ablations.changes().row[:12]) == list(table.index)


def test_changes_are_the_printed_ones_but_for_the_low_aging_rate():
    frame = ablations.changes().set_index("row")
    assert frame.loc["Baseline", "printed"].split(", ")[2] == "s = 100" == frame.loc["Baseline", "ours"].split(", ")[2]
    assert frame.differs[frame.differs != ""].to_dict() == {"Low aging rate": "ρ"}
    assert frame.loc["Low aging rate", ["printed", "ours"]].tolist() == ["ρ = 1.2", "ρ = 1.1"]
    assert frame.loc["Gradient update", ["printed", "ours"]].tolist() == ["gradUpdate = False"] * 2
    assert frame.loc["High depth", ["printed", "ours"]].tolist() == ["–", "residues = 3, d = 4"]
    assert list(dict.fromkeys(paper.load_ablations().row)) == list(ablations.printed().index)


def test_the_baseline_names_what_it_does_not_share_with_the_sequence():
    said = ablations.baseline()
    assert "s = 100 where s = 300" in said and said.count("where") == 1


def test_shares_of_test_images_are_told_from_chance():
    """k/n to two decimals, counted once more by looking for the nearest k."""
    frame = ablations.shares().set_index(["printed column", "test images of"])
    table = ablations.printed().astype(float)
    for (column, name), line in frame.iterrows():
        nearest = np.round(100 * np.round(table[column] * line.n / 100) / line.n, 2)
        assert line["cells that are k/n"] == f"{int(np.isclose(nearest, table[column], atol=1e-6).sum())} of 12", (column, name)
    assert frame.loc[("T0 accuracy", "T0"), "probability of as many"] == f"{(2116 / 10001) ** 12:.1g}"


def test_rows_whose_maximum_is_none():
    frame = ablations.below()
    assert (frame[ablations.MAX].astype(float) < frame[[ablations.T0, ablations.GLOBAL]].astype(float).max(axis=1)).all()
    assert len(frame) == 5 and frame["the maximum is below"].str.contains("Global").sum() == 4


def test_contradictions_are_those_of_the_claim():
    from unforget.results import claims

    frame = ablations.contradictions()
    verdict = frame.columns[-1]
    assert len(frame) == 21 and (frame[verdict] == "no such row").sum() == 6
    found = {f"{row.row.lower()}, {row.column.lower()}" for row in frame.itertuples() if row[-1] == "contradict"}
    judged = claims.evaluate(paper.load(), measured.from_records([])).set_index("id").loc["r12", "printed_reason"]
    assert found and all(name in judged for name in found)


def test_marks_are_judged_by_what_is_beyond_chance():
    def seeds(*values):
        return [[[value if on <= after else None for on in range(5)] for after in range(5)] for value in values]

    found = [record("ablations/baseline", *seeds(0.5, 0.7, 0.9), tests=(1,) * 5),
             record("ablations/low-basis-size", *seeds(0.41, 0.6, 0.8), tests=(1,) * 5),  # marked −− and +
             record("ablations/high-depth", *seeds(0.6, 0.6, 0.9), tests=(1,) * 5)]  # fmt: skip
    for one, seconds in zip(found, (10, 20, 30), strict=True):
        one["run"] = timed("baseline", seconds)["run"]
    frame = ablations.marks_beside(measured.from_records(found), {one["config"]["run"].split("/")[1]: one for one in found})
    said = frame.set_index(["row", "column"]).verdict
    assert len(frame) == 21
    assert said["Low basis size"].tolist() == ["agree", "contradict", "not judged"]
    assert said["High depth"].tolist() == ["within chance", "within chance", "not judged"]
    times = frame[frame.column == ablations.TIME].set_index("row")
    assert times.loc["High depth", "ours"] == "× 3.00" and times.loc["No basis update", ["ours", "verdict"]].tolist() == ["–", "–"]
    assert set(said["No basis update"]) == {"–"}


def test_the_published_count_takes_an_incomplete_last_batch_for_wrong():
    all_right = [[[1.0 if on <= after else None for on in range(5)] for after in range(5)]]
    cells = measured.from_records([record("pairwise-mnist/vc", *all_right, tests=(2115, 2042, 32, 16, 8))])
    ours, counted = (cells[(cells.artifact == "table-1b") & (cells.row == "VC") & (cells.profile == profile)].set_index("column")["mean"]
                     for profile in ("paper", "custom"))  # fmt: skip
    assert set(ours) == {100.0}
    right = {"T0": 2112, "T1": 2032, "T2": 32, "T3": 16, "T4": 0}  # in batches of 16
    images = {"T0": 2115, "T1": 2042, "T2": 32, "T3": 16, "T4": 8}
    for task, n in images.items():
        assert counted[f"{task} final"] == pytest.approx(100 * right[task] / n)
    assert counted["T1 first"] == counted["T1 final"]
    assert counted["Average over images"] == pytest.approx(100 * sum(right.values()) / sum(images.values()))


def test_columns_beside_show_paper_mean_and_ends_at_the_papers_protocol_first():
    five = [[0.9 if on <= after else None for on in range(5)] for after in range(5)]
    best = [[0.95 if on <= after else None for on in range(5)] for after in range(5)]
    kept = measured.from_records(
        [record("ablations/baseline", five, profile="lite", tests=(1,) * 5), record("ablations/baseline", five, best, tests=(1,) * 5)]
    )
    frame = ablations.columns_beside(kept, kept[:0], "smoke", {"T0 accuracy": "T0 accuracy", "First accuracy": ""}).set_index("row")
    assert frame.loc["Baseline"].tolist() == ["96.41", "92.50 (90.00 to 95.00)", "–", "92.50 (90.00 to 95.00)", "–"]
    assert frame.loc["High depth", "T0 accuracy: paper"] == "–"
    dots = ablations.every_seed(kept, ("T0 accuracy",))
    assert dots["accuracy in %"].tolist() == [90, 95]


def test_rows_are_compared_with_the_baseline_seed_by_seed():
    def seeds(*values):
        return [[[value if on <= after else None for on in range(5)] for after in range(5)] for value in values]

    kept = measured.from_records(
        [record("ablations/baseline", *seeds(0.5, 0.7, 0.9), tests=(1,) * 5),
         record("ablations/high-depth", *seeds(0.52, 0.71, 0.93), tests=(1,) * 5),
         record("ablations/low-aging-rate", *seeds(0.6, 0.8), tests=(1,) * 5)]
    )  # fmt: skip
    frame = ablations.differences(kept, ("T0 accuracy", "Global accuracy"))
    assert frame.values.tolist() == [["High depth", "+2.00 (p = 0.074)", "+2.00 (p = 0.074)"]]  # two seeds are too few


def timed(run: str, seconds: float, seeds: int = 2) -> dict:
    block = {
        "replicas": [[seed] for seed in range(seeds)], "seconds": {"train": seconds, "evaluate": 0.0}, "device_type": "cuda",
        "peak_memory_mib": 1, "date": "2026-01-01", "commit": "", "source": "",
    }  # fmt: skip
    return record(f"ablations/{run}", *[FIRST] * seeds) | {"run": [block]}


def test_times_stand_beside_the_printed_ones_and_as_multiples_of_each_baseline():
    recorded = {"baseline": timed("baseline", 200.0), "high-depth": timed("high-depth", 500.0)}
    frame = ablations.times(recorded, {"low-basis-size": timed("low-basis-size", 3.0)}, "smoke").set_index("row")
    assert frame.columns.tolist() == [
        "paper: min", "paper: × baseline", "recorded: s", "recorded: × baseline", "this run (smoke): s",
        "this run (smoke): × baseline",
    ]  # fmt: skip
    assert frame.loc["Baseline"].tolist() == ["59.3", "1.00", "100.0", "1.00", "–", "–"]
    assert frame.loc["High depth"].tolist() == ["–", "–", "250.0", "2.50", "–", "–"]
    assert frame.loc["Low basis size"].tolist() == ["56.8", "0.96", "–", "–", "1.5", "–"]


def test_a_section_trains_only_the_runs_that_are_named():
    section = Section("hrn/pairwise-mnist", seeds="0", device="cpu")
    section.run("hrn-hash")
    assert list(section.records) == ["hrn-hash"]
    frame = sequences.of_records(section.records, "table-1b")
    assert list(frame.task) == [0, 1, 2, 3, 4] and set(frame.row) == {"HRN, hash only"}
    with pytest.raises(UnforgetError, match="unknown run"):
        section.run("hsh")
