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
