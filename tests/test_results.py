"""From records to what a page shows: numbers, tables, figures, sections; and whether what is declared fits together."""

import re
import sys
from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
import tiny
import torch
from small_project import project, recorded  # noqa: F401

from unforget import evaluation, methods, source
from unforget.errors import UnforgetError
from unforget.experiments import catalogue
from unforget.results import claims, figures, measured, tables
from unforget.section import Section

ACCURACY = np.array([[[0.9, np.nan, np.nan], [0.7, 0.8, np.nan], [0.5, 0.6, 1.0]]])  # [seed, after_stage, on_task]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("final", 0.7), ("during", 0.9), ("task 2", 0.6), ("first 2", 0.8), ("forgetting", (0.4 + 0.2) / 2),
        ("global", (8 * 0.5 + 1 * 0.6 + 1 * 1.0) / 10),
    ],
)  # fmt: skip
def test_metrics_of_a_hand_made_accuracy_matrix(name, value):
    assert measured.metric(ACCURACY, name, (8, 1, 1)) == pytest.approx([value])


def test_joint_training_forgets_nothing_in_between():
    joint = np.array([[[0.9, 0.8, 1.0]]])
    assert measured.metric(joint, "during") == measured.metric(joint, "final") == pytest.approx([0.9])
    with pytest.raises(UnforgetError, match="unknown metric"):
        measured.metric(joint, "finale")


class Oracle:
    """Predicts a fixed class for every sample."""

    def __init__(self, outputs, chosen):
        self.outputs, self.chosen = outputs, chosen

    def predict(self, x, task, tasks_seen):
        logits = torch.zeros(2, x.shape[1], self.outputs)
        logits[..., self.chosen] = 1
        logits[1] = torch.nan  # a diverged replica
        return logits


@pytest.mark.parametrize(
    ("view", "outputs", "chosen", "label"), [("CL1", 2, 1, 3), ("CL2", 2, 1, 3), ("CL3", 6, 3, 3), ("own classifier", 6, 2, 2)]
)
def test_views_count_labels_as_their_scenario_does(view, outputs, chosen, label):
    stream = tiny.stream()
    right = (stream.tests[1].y == label).double().mean()
    scores = evaluation.score(Oracle(outputs, chosen), stream, view, 1, 3)
    assert scores.tolist() == [right, 0] and 0 < right < 1


def test_cells_fit_the_runs_that_fill_them():
    names = [experiment.name for experiment in catalogue.EXPERIMENTS.values()]
    assert len(set(names)) == len(names)  # records are filed under the name
    for cell in catalogue.CELLS:
        _, run = catalogue.of(cell.run)
        assert cell.view in run.views
    shown = [(c.paper, c.artifact, c.row, c.column) for c in catalogue.CELLS if not c.variant]
    assert len(set(shown)) == len(shown)


def test_cells_of_tasks_that_a_smaller_stream_lacks_are_left_out():
    config = catalogue.experiment("hrn/cifar100").resolve(catalogue.of("cifar100/vc")[1], "smoke")
    scores = np.tril(np.full((3, 3), 0.5)).tolist()
    record = {"config": config, "tests": [200] * 3, "replicas": [{"seed": 0, "scan": {}, "scores": {"own classifier": scores}}]}
    cells = measured.from_records([record])
    assert set(cells.column) == {
        "T1 first", "T2 first", "T3 first", "T1 final", "T2 final", "T3 final", "Average over images", "Average over tasks"
    }  # fmt: skip


def test_profiles_name_options_that_some_method_has():
    for experiment in catalogue.EXPERIMENTS.values():
        known = {name for run in experiment.runs for name in methods.find(run.method).Options.__dataclass_fields__}
        for profile in experiment.profiles.values():
            assert set(profile.options) <= known


def test_label_is_the_profile_whose_declaration_a_configuration_equals():
    experiment, run = catalogue.of("split-mnist/hnet")
    config = experiment.resolve(run, "paper")
    assert catalogue.label(config) == "paper" and catalogue.label(experiment.resolve(run, "smoke")) == "smoke"
    assert catalogue.label(experiment.resolve(run, "paper", {"beta": 0.02})) == "custom"
    older = config | {"options": {k: v for k, v in config["options"].items() if k != "form"}}
    assert catalogue.label(older) == "paper"  # an option declared since, at its default


def test_the_source_hash_follows_code_and_nothing_else(monkeypatch, tmp_path):
    config = catalogue.experiment("hnet/split-mnist").resolve(catalogue.of("split-mnist/si-cl1")[1], "paper")
    base = source.source_hash(config)
    texts = {"doc": '"""Other words."""\nx: int = 1  # why\n', "same": "x: int = 1\n", "other": "x: int = 2\n"}
    hashes = {}
    monkeypatch.syspath_prepend(tmp_path)
    for name, text in texts.items():
        (tmp_path / "outside.py").write_text(text)
        source._hash.cache_clear()
        monkeypatch.setitem(methods.METHODS, "outside", "outside:Learner")
        hashes[name] = source.source_hash(config | {"method": "outside"})
    assert hashes["doc"] == hashes["same"] != hashes["other"] and base not in hashes.values()
    assert source.source_hash(config | {"method": "ewc"}) != base


def test_a_table_is_a_directive_in_the_book_and_html_in_jupyter():
    bundle = tables.Table(pd.DataFrame({"a|b": ["1$"]}), "Caption.", "tab-x")._repr_mimebundle_()
    assert bundle["text/markdown"].splitlines()[:3] == ["```{table} Caption.", ":name: tab-x", ":class: numbers"]
    assert "a\\|b" in bundle["text/markdown"] and "1\\$" in bundle["text/markdown"] and "<table" in bundle["text/html"]
    assert bundle["text/markdown"].count("full-width") == 0
    long = tables.Table(pd.DataFrame({"a": ["x" * 100]}), "Caption.", "tab-x")
    assert ":class: numbers full-width" in long.myst() and "full-width" not in replace(long, kind="prose").myst()
    assert tables.number(87.3, 0.8, 4, "%") == "87.30 ± 0.40 (4)" and tables.number(465672.0, 0, 1, "parameters") == "465,672"


@pytest.mark.parametrize("frame", [None, pd.DataFrame([], columns=["row", "column"])])
def test_a_table_without_rows_is_a_note(frame):
    bundle = tables.Table(frame, "Caption.", "tab-x")._repr_mimebundle_()
    assert list(bundle) == ["text/markdown"] and "Nothing is recorded yet for this table. Caption." in bundle["text/markdown"]
    bundle = tables.Table(frame, "Caption.", "tab-x", empty="None is left.")._repr_mimebundle_()
    assert list(bundle) == ["text/markdown"] and "{note}\nNone is left.\n" in bundle["text/markdown"]


def test_commands_are_code_and_keep_their_dashes():
    shown = tables.Table(pd.DataFrame({"run": ["a"], "again": ["go --now a_b"]}), "Caption.", "tab-x", commands="again").myst()
    assert "| a | `go --now a_b` |" in shown


def test_several_tables_say_why_some_are_empty_and_each_reason_once():
    full = tables.Table(pd.DataFrame({"a": ["1"]}), "Full.", "tab-x")
    none = [tables.Table(None, "Empty.", "tab-y", empty=f"{of}: nothing can be judged yet.", reason="Nothing can be judged yet.")
            for of in ("Table 1", "Table 2: columns P10")]  # fmt: skip
    shown = tables.Several((full, *none))._repr_mimebundle_()
    assert "{table} Full." in shown["text/markdown"] and "Full." in shown["text/html"]
    assert shown["text/markdown"].endswith("{note}\nTable 1: nothing can be judged yet. Table 2: columns P10: nothing can be judged yet.\n```")
    assert tables.Several(tuple(none))._repr_mimebundle_() == {"text/markdown": "```{note}\nNothing can be judged yet.\n```"}
    assert "note" not in tables.Several((full,))._repr_mimebundle_()["text/markdown"]


def test_numbers_have_one_form():
    assert (tables.signed(-0.42), tables.signed(1234.5, 1), tables.signed(float("nan"))) == ("−0.42", "+1,234.5", "–")
    assert tables.number(-1.0, 0, 1, "%") == "−1.00 (1)" and tables.title("figure-2a") == "Figure 2a"


def test_beside_has_this_run_next_to_the_recorded_and_tells_what_is_not_built():
    none = measured.from_records([])
    frame = tables.beside("hnet", "text-parameters", none, none, "smoke", rows=["S classifier", "ZenkeNet"])
    assert list(frame) == ["row", "column", "paper", "recorded", "this run (smoke)", "verdict", "Δ"]
    verdicts = dict(zip(frame.row, frame.verdict, strict=True))
    assert verdicts == {"S classifier": "not run", "ZenkeNet": "not built yet"}
    assert frame[frame.row == "S classifier"].paper.iloc[0] == "465,672"
    assert ("hnet", "text-parameters", "S classifier", "total") in catalogue.filling()


def test_a_number_of_less_training_says_so_wherever_it_is_shown():
    cell = dict.fromkeys(measured.COLUMNS, "") | {"paper": "hnet", "artifact": "table-1", "row": "P10-CL1", "column": "HNET+ENT"}
    cell |= {"mean": 95.0, "sd": 2.0, "n": 4, "unit": "%", "values": (), "seeds": ()}
    for profile, shown in (("lite", "95.00 ± 1.00 (4), lite"), ("paper", "95.00 ± 1.00 (4)")):
        recorded = pd.DataFrame([cell | {"profile": profile}])
        assert tables.beside("hnet", "table-1", recorded, recorded[:0], "smoke").recorded.tolist() == [shown]


def test_a_caption_without_records_stands_alone():
    empty = figures.publish(None, "x", f"{measured.recorded_at({})}, one line per seed.")._repr_mimebundle_()
    assert "{note}\nNot recorded yet, one line per seed.\n" in empty["text/markdown"]
    other = figures.publish(None, "x", "One line per seed.")._repr_mimebundle_()
    assert "{note}\nNothing is recorded yet for this figure. One line per seed.\n" in other["text/markdown"]


def test_a_shared_cause_is_said_once():
    whole = pd.DataFrame([("A", c, "x") for c in "12345"] + [("B", "1", "x"), ("B", "2", "y"), ("B", "3", "")],
                         columns=["row", "column", "cause"])  # fmt: skip
    groups = tables.by_cause(whole.itertuples())
    assert list(groups) == ["x", "y", ""]
    assert tables.together(groups["x"], whole) == "A, all recorded cells; B, 1"
    assert tables.together(groups["x"][:4], whole) == "A, all recorded cells but 5"
    assert tables.together(groups["x"][:3], whole) == "A, 1, 2, 3" and tables.together(groups["y"], whole) == "B, 2"


def drawn():
    rng = np.random.default_rng(0)
    x, y = [np.linspace(0, 1, 5)] * 3, [np.linspace(0, 1, 5)] * 3
    frame = pd.DataFrame({"method": ["A", "A", "B"], "panel": ["CL1"] * 3, "accuracy": [90.0, 92.0, 50.0]})
    return {
        "curves": figures.fitted_curves({"a": rng.normal(size=(3, 3, 5))}, x, y),
        "seeds": figures.seeds(frame, "accuracy", "method", "panel", {("CL1", "A"): 95.0}),
        "matrices": figures.accuracy_matrices({"A": ACCURACY}),
        "confusions": figures.task_confusions({"A": np.array([[[3, 1], [0, 4]]])}),
        "classes": figures.class_confusions({"A": np.array([[[3, 1], [0, 4]]])}),
        "certainties": figures.certainties({"A": np.array([[[[0.1, 0.4], [9, 3]], [[0.2, 0.3], [5, 4]]]])}),
    }


def test_alt_text_is_made_from_the_data():
    plots = drawn()
    assert "task 1 ends at 50 %, the last task at 100 %" in plots["matrices"].alt
    assert "A median 91 (from 90 to 92); CL1 B 50" in plots["seeds"].alt and "75 %, 100 %" in plots["confusions"].alt
    assert all(len(plot.alt.split()) > 8 and len(plot.data) for plot in plots.values())


def test_a_published_figure_leaves_the_same_vector_and_data_each_time(tmp_path, monkeypatch):
    monkeypatch.setenv("UNFORGET_FIGURES", str(tmp_path))
    first = [figures.publish(plot, f"x/{name}", "Caption.") for name, plot in drawn().items()]
    before = {path: path.read_bytes() for path in tmp_path.glob("x/*")}
    assert len(before) == 12
    [figures.publish(plot, f"x/{name}", "Caption.") for name, plot in drawn().items()]
    assert all(path.read_bytes() == content for path, content in before.items())
    bundle = first[0]._repr_mimebundle_()
    assert re.search(r":alt: Fitted curves .*\n\nCaption\. \{download\}", bundle["text/markdown"])
    assert mpl.rcParams["svg.hashsalt"] != "unforget"  # the style is not left behind


def test_figures_without_runs_are_a_note():
    assert figures.accuracy_matrices({}) is None and figures.task_confusions({}) is None and figures.certainties({}) is None
    assert "Nothing is recorded yet" in figures.publish(None, "x", "Caption.")._repr_mimebundle_()["text/markdown"]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"id": "hnet/split-mnits"}, "did you mean 'hnet/split-mnist'"),
        ({"id": "hnet/split-mnist", "profile": "papier"}, "did you mean 'paper'"),
        ({"id": "hnet/split-mnist", "seeds": "0-"}, "cannot read seeds"),
    ],
)
def test_a_section_refuses_wrong_input(given, told):
    with pytest.raises(UnforgetError, match=re.escape(told)):
        Section(**given)


def test_a_notebook_refuses_parameters_that_it_does_not_declare(monkeypatch):
    declared = 'profile: str = "smoke"\nseeds: str = ""'
    given = '# Parameters\nseeds = "0"\n'
    for cells in ([], ["", declared, "1 + 1"], ["", declared, given], ["", declared, "%timeit 1", given]):
        monkeypatch.setattr(sys.modules["__main__"], "In", cells, raising=False)
        Section("hnet/split-mnist")
    monkeypatch.setattr(sys.modules["__main__"], "In", ["", declared, '# Parameters\nseed = "0"\n'])
    with pytest.raises(UnforgetError, match="unknown parameter 'seed'; did you mean 'seeds'"):
        Section("hnet/split-mnist")


def test_a_section_shows_the_recorded_seeds_it_was_asked_for(project):  # noqa: F811
    recorded("split-mnist/ewc-cl1", seeds=range(4), tasks=5)
    section = Section("hnet/split-mnist", "paper", "1-2,9", device="cuda")
    section.run()
    assert {name: [r["seed"] for r in record["replicas"]] for name, record in section.records.items()} == {"ewc-cl1": [1, 2]}
    assert len(section.recorded["ewc-cl1"]["replicas"]) == 4


def test_a_section_holds_all_seeds_where_each_has_a_stream_of_its_own():
    section = Section("hnet/split-mnist-dealt", seeds="0-1", device="cpu")
    for _ in range(2):  # again, in place of the first
        section.run("joint-cl1")
        assert [replica["seed"] for replica in section.records["joint-cl1"]["replicas"]] == [0, 1]


def test_a_page_that_tells_of_some_runs_has_labels_of_its_own(project):  # noqa: F811
    recorded("split-mnist/ewc-cl1", tasks=5), recorded("split-mnist/si-cl1", tasks=5)
    plain, own = (Section("hnet/split-mnist", "paper", page=page) for page in ("", "hnet/other"))
    own.run("si-cl1")
    assert set(own.records) == {"si-cl1"}
    table = own.runs_table("si-cl1", "hnet")
    assert list(table.frame.profile) == ["paper", "not run"]
    assert list(table.frame["run again"]) == [f"unforget run hnet/split-mnist/{run} --profile paper" for run in ("si-cl1", "hnet")]
    minutes = plain.experiment.minutes_of("hnet")
    assert minutes > 0 and list(table.frame["seconds per seed"]) == ["60.0", f"≈ {60 * minutes:,.0f}"]
    assert "≈" in table.caption and "≈" not in own.runs_table("si-cl1").caption
    assert len(plain.runs_table().frame) == len(plain.experiment.runs)
    assert table.name == "tab-hnet-other-runs" and plain.runs_table().name == "tab-hnet-split-mnist-runs"
    assert (own.claims("h07", "h05").name, list(own.claims("h07").frame["where"])) == (
        "tab-hnet-other-claims", [claims.find("h07").where]
    )  # fmt: skip


def test_deviations_are_those_of_the_rows_and_columns_asked_for(monkeypatch):
    monkeypatch.setattr("unforget.section.paper.load_causes", lambda: None)
    section = Section("hnet/split-mnist", "paper")
    measured_cells = [
        ("hnet", "table-1", "S-CL1", "EWC", 99.12), ("hnet", "table-1", "S-CL2", "SI", 20.0),
        ("hnet", "table-1", "S-CL2", "EWC", 20.0), ("lstm", "table-1", "SI", "S CL2", 20.0),
    ]  # fmt: skip
    section.recorded_cells = pd.DataFrame(
        [(*cell, 0.1, 20, "paper", "%", f"x/{i}", [cell[-1]] * 20, range(20)) for i, cell in enumerate(measured_cells)],
        columns=measured.COLUMNS,
    )

    def found(*asked, **options):
        return [(line.row, line.column) for line in section.deviations(*asked, **options).frame.itertuples()]

    causes = section.deviations("hnet", "table-1", ["S-CL2"]).frame.cause
    assert causes.tolist() == ["S-CL2, EWC, SI: unexplained; tried: nothing yet", "as for S-CL2, EWC"]
    assert found("hnet", "table-1", ["S-CL1", "S-CL2"]) == [("S-CL2", "EWC"), ("S-CL2", "SI")]
    assert found("hnet", "table-1", ["S-CL1", "S-CL2"], columns=["SI"]) == [("S-CL2", "SI")]
    own, other = section.deviations("hnet", "table-1", ["S-CL2"]), section.deviations("lstm", "table-1", ["SI"], of="Table 1 of C")
    assert (own.caption, own.name) == ("What is not reproduced, and why.", "tab-hnet-split-mnist-table-1-deviations")
    assert (other.caption, other.name) == (
        "Table 1 of C: what is not reproduced, and why.", "tab-hnet-split-mnist-lstm-table-1-deviations"
    )  # fmt: skip
    said = {row: section.deviations("hnet", "table-1", [row])._repr_mimebundle_()["text/markdown"] for row in ("S-CL1", "S-CL3")}
    assert "Nothing recorded deviates." in said["S-CL1"] and "Nothing that is recorded can be judged yet." in said["S-CL3"]


def test_a_section_shows_code_as_it_stands():
    text = Section("hnet/toy-regression").source_of(Oracle.predict)._repr_mimebundle_()["text/markdown"]
    assert text.startswith("```python\ndef predict(self, x, task, tasks_seen):")


def test_drawn_images_keep_every_pixel_and_say_how_many_are_recognised():
    images = np.arange(2 * 2 * 3 * 4).reshape(2, 2, 3, 4)
    plot = figures.drawn_images(images, np.array([0.5, 1.0]), 2)
    assert len(plot.data) == images.size and plot.alt.endswith("50 %, 100 %.")
    shown = plot.figure.axes[0].images[0].get_array()
    assert shown.shape == (3 * 6, 2) and np.array_equal(shown[6:8].ravel(), images[0, 0, 1])


def test_a_caption_with_code_is_fenced_by_what_may_hold_it():
    table = tables.Table(pd.DataFrame({"a": ["1"]}), "With `code`.", "tab-x")
    lines = table.myst().splitlines()
    assert lines[0] == "~~~{table} With `code`." and lines[-1] == "~~~"
