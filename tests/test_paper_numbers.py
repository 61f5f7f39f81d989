"""The transcribed tables are well formed and agree with themselves, or disagree where the papers do."""

import pandas as pd
import pytest

from unforget.errors import UnforgetError
from unforget.results import paper

HEADER = ",".join(paper.COLUMNS)
GOOD = 'hnet,table-1,S-CL1,SI,99.09,0.15,SEM,20,%,"Table 1, p. 7",quoted,'


@pytest.fixture(scope="module")
def printed() -> pd.DataFrame:
    return paper.load()


def cells(printed, name, artifact) -> dict[tuple[str, str], tuple[float, float]]:
    """(row, column) -> (mean, error) of one table; a missing error reads -1 so that tuples compare."""
    table = printed[(printed.paper == name) & (printed.artifact == artifact)].fillna({"error": -1})
    return {(r.row, r.column): (r.mean, r.error) for r in table.itertuples()}


def test_sizes_of_the_printed_tables(printed):
    sizes = printed.groupby(["paper", "artifact"]).size()
    hnet = {"table-1": 36, "table-2": 18, "table-3": 8, "table-4": 4, "table-5": 4, "table-6": 10}
    lstm = {"table-1": 48, "table-2": 48, "table-3": 56}
    assert {k: sizes["hnet"][k] for k in hnet} == hnet
    assert {k: sizes["lstm"][k] for k in lstm} == lstm
    assert sizes["hrn"].to_dict() == {
        "table-1a": 84, "table-1b": 36, "table-1c": 12, "table-2": 21, "table-b1": 48, "table-d14": 18
    }  # fmt: skip


def test_no_cell_is_there_twice(printed):
    assert not printed.duplicated(paper.CELL).any()


def test_whole_tables_have_every_cell(printed):
    for (name, artifact), table in printed[printed.artifact.str.startswith("table-")].groupby(
        ["paper", "artifact"]
    ):
        if (name, artifact) != (
            "hnet",
            "table-4",
        ):  # Table 4 prints "-" where nothing was measured during training
            assert len(table) == table.row.nunique() * table.column.nunique(), (name, artifact)


def test_means_of_twenty_seeds_state_their_error(printed):
    stated = printed[printed.error_kind == "SEM"]
    assert stated.n.notna().all() and (stated.error > 0).all()


def test_copied_numbers_are_marked(printed):
    hnet = printed[(printed.paper == "hnet") & printed.artifact.isin(["table-1", "table-2"])]
    assert set(hnet[hnet.status == "quoted"].column) == {"EWC", "SI", "DGR"}
    assert set(hnet[hnet.status == "own"].column) == {"HNET+ENT", "HNET+TIR", "HNET+R", "RPL-UB"}
    lstm = printed[(printed.paper == "lstm") & printed.artifact.isin(["table-1", "table-2"])]
    assert set(lstm[lstm.status == "own"].row) == {
        name + replay
        for name in ("HNET_IWR", "LSTM_NET", "LSTM_NET_IWR", "LSTM_NET_GROW")
        for replay in ("", "+R")
    }
    assert printed[printed.status == "quoted"].note.ne("").all(), "a quoted number says whose it is"


# Averages of LSTM Table 3 that are within 0.05 of the mean of their cells, yet not its correct rounding.
ROUNDED_OTHERWISE = {"Training-from-scratch", "LSTM_NET during", "LSTM_NET_IWR"}


def test_printed_averages_are_the_means_of_their_cells(printed):
    table = printed[(printed.paper == "lstm") & (printed.artifact == "table-3")].pivot(
        index="row", columns="column", values="mean"
    )
    average = table.pop("Average accuracy")
    difference = (average - table.mean(axis=1)).abs()
    assert table.shape == (8, 6)
    assert (difference <= 0.05).all(), difference
    assert set(difference[difference > 0.005 + 1e-9].index) == ROUNDED_OTHERWISE


def test_hnet_tables_1_and_2_agree_except_in_every_cell_of_replay(printed):
    first, second = cells(printed, "hnet", "table-1"), cells(printed, "hnet", "table-2")
    disagree = {key for key in first.keys() & second.keys() if first[key] != second[key]}
    rows = ("P10-CL1", "P10-CL2", "P10-CL3", "S-CL1", "S-CL2", "S-CL3")
    assert disagree == {(row, "HNET+R") for row in rows}
    assert {row for row, _ in disagree if first[row, "HNET+R"][0] == second[row, "HNET+R"][0]} == {"P10-CL2"}


def test_hnet_table_3_repeats_table_1(printed):
    first, third = cells(printed, "hnet", "table-1"), cells(printed, "hnet", "table-3")
    for row in ("S-CL1", "P10-CL1"):
        for method in ("HNET+TIR", "HNET+R"):
            assert third[row, f"{method} after"] == first[row, method]
        assert first[row, "HNET+ENT"] == first[row, "HNET+TIR"], (
            "with the task given the two are one training"
        )


def test_hnet_prints_one_network_with_several_numbers(printed):
    """Named disagreements: P10-CL1 in Tables 1 and 6, P100-CL1 in Tables 4, 6 and Figure A2b."""
    sixth = cells(printed, "hnet", "table-6")
    assert cells(printed, "hnet", "table-1")["P10-CL1", "HNET+TIR"][0] - sixth["P10-1000,1000", "HNET"][
        0
    ] == (pytest.approx(0.01))
    p100 = {
        cells(printed, "hnet", "table-4")["P100-CL1", "HNET+TIR after"][0],
        sixth["P100-1000,1000", "HNET"][0],
    }
    p100 |= {mean for mean, _ in cells(printed, "hnet", "figure-a2b").values()}
    assert len(p100) == 4


def test_hnet_text_repeats_table_5(printed):
    text, table = cells(printed, "hnet", "text-zenkenet"), cells(printed, "hnet", "table-5")
    assert text["ZenkeNet", "HNET"] == table["ZenkeNet", "after"]


def test_parameter_totals_are_the_sums_of_their_parts(printed):
    counts = {key: mean for key, (mean, _) in cells(printed, "hnet", "text-parameters").items()}
    complete = {row for row, column in counts if column == "hypernetwork"}
    assert len(complete) == 6
    for row in complete:
        assert counts[row, "hypernetwork"] + counts[row, "task embeddings"] == counts[row, "total"]


def test_lstm_baseline_rows_equal_the_hnet_columns(printed):
    ours, theirs = (
        cells(printed, "hnet", "table-1"),
        {
            **cells(printed, "lstm", "table-1"),
            **cells(printed, "lstm", "table-2"),
        },
    )
    pairs = {"Online EWC": "EWC", "SI": "SI", "HNET": "HNET+ENT", "DGR+distill": "DGR", "HNET+R": "HNET+R"}
    for row, column in pairs.items():
        for stream in ("S CL1", "S CL2", "S CL3", "P10 CL1", "P10 CL2", "P10 CL3"):
            assert theirs[row, stream] == ours[stream.replace(" ", "-"), column], (row, stream)


def test_iwr_gain_of_the_text_is_that_of_its_table(printed):
    table = cells(printed, "lstm", "table-3")
    gain = table["HNET_IWR", "Average accuracy"][0] - table["HNET", "Average accuracy"][0]
    said = cells(printed, "lstm", "text-iwr-gain")["HNET_IWR - HNET", "Average accuracy"][0]
    assert said - 0.2 < gain < said, "printed as almost this much"


HRN_TESTS = {  # test images per task: SVHN and ten of CIFAR-100, pairs of digits, Fashion-MNIST and MNIST
    "table-1a": (26_032, *[1_000] * 10), "table-1b": (2_115, 2_042, 1_874, 1_986, 1_983), "table-1c": (10_000, 10_000)
}  # fmt: skip


def hrn_row(printed, artifact, method, when) -> list[float]:
    """First or final accuracies of all tasks; after the last task they are one number."""
    table, tasks = cells(printed, "hrn", artifact), len(HRN_TESTS[artifact])
    last = f"T{tasks - 1} final"
    return [table.get((method, f"T{t} {when}"), table[method, last])[0] for t in range(tasks)]


@pytest.mark.parametrize(
    ("artifact", "method", "micro", "macro"),
    [
        ("table-1a", "VC", 31.04, 55.11), ("table-1a", "EWC", 16.17, 20.72), ("table-1a", "ELL", 50.73, 58.93),
        ("table-1a", "HRN", 68.72, 55.47), ("table-1b", "VC", 88.04, 88.53), ("table-1b", "EWC", 81.37, 81.25),
        ("table-1b", "ELL", 91.63, 91.97), ("table-1b", "HRN", 93.89, 93.96), ("table-1c", "VC", 79.77, 79.77),
        ("table-1c", "EWC", 76.14, 76.14), ("table-1c", "ELL", 70.21, 70.21), ("table-1c", "HRN", 89.50, 89.50),
    ],
)  # fmt: skip
def test_averages_over_images_and_over_tasks(printed, artifact, method, micro, macro):
    """Worked out by hand from the PDF, so that a slip in either transcription shows."""
    final, tests = hrn_row(printed, artifact, method, "final"), HRN_TESTS[artifact]
    assert sum(a * n for a, n in zip(final, tests, strict=True)) / sum(tests) == pytest.approx(micro, abs=0.006)
    assert sum(final) / len(final) == pytest.approx(macro, abs=0.006)


def test_the_pairs_are_first_and_final_not_largest_and_smallest(printed):
    """The caption says minimal and maximal; in seven pairs the second number is the larger one."""
    larger = {
        (artifact, method, t)
        for artifact in HRN_TESTS
        for method in ("VC", "EWC", "ELL", "HRN")
        for t, (first, final) in enumerate(
            zip(*(hrn_row(printed, artifact, method, when) for when in ("first", "final")), strict=True)
        )
        if final > first
    }
    noted = printed[printed.note.str.contains("minimal and maximal")]
    assert {(r.artifact, r.row, int(r.column.split()[0][1:])) for r in noted.itertuples()} == larger
    assert larger == {("table-1a", "EWC", 1), ("table-1b", "EWC", 3), ("table-1b", "HRN", 2)} | {
        ("table-1a", "HRN", t) for t in (4, 5, 6, 8)
    }


def test_the_hrn_table_repeats_numbers_across_rows(printed):
    table = cells(printed, "hrn", "table-1a")
    assert table["EWC", "T1 final"] == table["ELL", "T1 final"] == (54.70, -1)
    assert table["ELL", "T2 final"] == table["HRN", "T1 final"] == table["HRN", "T2 final"] == (48.10, -1)


def test_accuracies_of_the_pairs_are_shares_of_their_test_images(printed):
    """All cells but two are a whole number of test images to two decimals: single runs."""
    odd = set()
    for artifact, tests in HRN_TESTS.items():
        for (row, column), (mean, _) in cells(printed, "hrn", artifact).items():
            n = tests[int(column.split()[0][1:])]
            if abs(100 * round(mean * n / 100) / n - mean) > 0.005 + 1e-9:
                odd.add((artifact, row, column))
    assert odd == {("table-1b", "ELL", "T1 first"), ("table-1b", "ELL", "T2 first")}


def test_the_number_of_runs_that_is_printed_nowhere_is_noted_as_inferred(printed):
    """Only where few images are tested do digits tell: shares of 10,000 are all numbers with two decimals."""
    table = printed[(printed.paper == "hrn") & printed.artifact.isin(HRN_TESTS)]
    assert set(table.n) == {1} and table.note.str.contains("n is printed nowhere").all()
    for cell in table.itertuples():
        n = HRN_TESTS[cell.artifact][int(cell.column.split()[0][1:])]
        told = f"a whole number of {n} test images, so evidently one run" in cell.note
        assert told == (n < 10_000 and "no whole number" not in cell.note), cell


def test_two_columns_of_the_ablation_are_single_runs_on_the_first_task(printed):
    """Means of ten runs would be shares of 21,150 images; all 24 numbers are shares of 2,115."""
    table = cells(printed, "hrn", "table-b1")
    for (row, column), (mean, _) in table.items():
        if column in ("T0 accuracy", "Max task accuracy"):
            assert abs(100 * round(mean * 21.15) / 2115 - mean) <= 0.005 + 1e-9, (row, column)
    judged = printed[(printed.paper == "hrn") & (printed.artifact == "table-b1") & (printed.unit == "%")]
    assert set(judged.n) == {1} and judged.note.str.contains("said to be the mean of 10 runs").all()
    rows = {row for row, _ in table}
    below = {row for row in rows if table[row, "Max task accuracy"][0] < table[row, "T0 accuracy"][0]}
    assert len(below) == 5, "so that column is no maximum over tasks"
    undefined = printed[printed.status == paper.UNDEFINED]
    assert set(zip(undefined.artifact, undefined.row, undefined.column, strict=True)) == {("table-b1", row, "Max task accuracy") for row in rows}
    assert sum(table[row, "Max task accuracy"][0] < table[row, "Global accuracy"][0] for row in rows) == 4
    for column in ("T0 accuracy", "Global accuracy"):
        assert table["Baseline", column] == table["Low residue constraint", column]


def write(tmp_path, *lines):
    (tmp_path / "hnet.csv").write_text("\n".join((HEADER, *lines)) + "\n", encoding="utf-8")
    return tmp_path


def test_a_good_row_is_read_with_its_decimals(tmp_path):
    row = paper.load(write(tmp_path, GOOD)).iloc[0]
    assert (row["mean"], row.error, row.n, row.decimals, row.note) == (99.09, 0.15, 20, 2, "")


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("99.09", "99,09", "fields"),
        ("99.09", "", "mean is ''"),
        ("99.09", "nan", "mean is 'nan'"),
        ("99.09", "909.9", "mean is '909.9'"),
        ("0.15", "", "error is ''"),
        ("0.15", "-1", "error is '-1'"),
        ("SEM", "sem", "error_kind is 'sem'"),
        (",20,", ",0,", "n is '0'"),
        (",20,", ",²,", "n is '²'"),
        ("quoted", "copied", "status is 'copied'"),
        ("quoted", "undefined", "note is ''"),
        ("%", "percent", "unit is 'percent'"),
        ("hnet,", "lstm,", "paper is 'lstm'"),
        ("table-1", "Table 1", "artifact is 'Table 1'"),
        ("S-CL1", " ", "row is ' '"),
    ],
)
def test_a_damaged_row_is_refused_by_file_and_line(tmp_path, old, new, named):
    with pytest.raises(UnforgetError) as error:
        paper.load(write(tmp_path, GOOD.replace("S-CL1", "S-CL2"), GOOD.replace(old, new, 1)))
    message = str(error.value)
    assert "hnet.csv line 3" in message and named in message and "\n" not in message


def test_a_cell_given_twice_is_refused(tmp_path):
    with pytest.raises(UnforgetError, match="line 3.*already in .*line 2"):
        paper.load(write(tmp_path, GOOD, GOOD))


def test_a_missing_column_is_named(tmp_path):
    (tmp_path / "hnet.csv").write_text(HEADER.replace(",unit", "") + "\n")
    with pytest.raises(UnforgetError, match="hnet.csv lacks the column 'unit'"):
        paper.load(tmp_path)


def test_a_folder_without_tables_is_named(tmp_path):
    with pytest.raises(UnforgetError, match="no table of printed results"):
        paper.load(tmp_path)


@pytest.mark.parametrize("line", ["hnet,table-1,S-CL3,HNET+ENT,x,,", "hnet,table-1,S-CL3,HNET+ENT,,,"])
def test_a_cause_without_a_run_is_refused(tmp_path, line):
    (tmp_path / "causes.csv").write_text(",".join(paper.CAUSE_COLUMNS) + "\n" + line + "\n")
    with pytest.raises(UnforgetError, match="causes.csv line 2"):
        paper.load_causes(tmp_path)


def test_the_declared_causes_can_be_read():
    assert tuple(paper.load_causes().columns) == paper.CAUSE_COLUMNS
