"""The verdict rule cell by cell on made-up numbers, causes, and the exports."""

import io
import math

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from unforget.errors import UnforgetError
from unforget.results import ledger, ledger_export, paper, verdict

ENT = ("hnet", "table-1", "S-CL3", "HNET+ENT")  # printed 69.48 ± 0.80
CL1 = ("hnet", "table-1", "S-CL1", "HNET+ENT")  # printed 99.79 ± 0.01
SI = ("hnet", "table-1", "S-CL1", "SI")  # quoted
LSTM = ("lstm", "table-1", "HNET_IWR", "S CL2")  # ± unstated


def measure(*cells) -> pd.DataFrame:
    """A measured frame from (key, values, profile, run) with optional unit."""
    rows = []
    for key, values, profile, run, *unit in cells:
        sd = float(np.std(values, ddof=1)) if len(values) > 1 else math.nan
        mean = float(np.mean(values))
        rows.append((*key, mean, sd, len(values), profile, unit[0] if unit else "%", run, tuple(values), tuple(range(len(values)))))
    return pd.DataFrame(rows, columns=list(ledger.MEASURED))


def around(mean: float, sem: float, n: int = 20) -> list[float]:
    """n values with exactly this mean and standard error."""
    steps = np.linspace(-1, 1, n)
    return list(mean + steps / steps.std(ddof=1) * sem * math.sqrt(n))


def causes(*lines) -> pd.DataFrame:
    return pd.DataFrame(lines, columns=list(paper.CAUSE_COLUMNS))


@pytest.fixture(scope="module")
def printed():
    return paper.load()


def cell(table, key):
    found = table[(table[paper.CELL] == list(key)).all(axis=1)]
    assert len(found) == 1
    return found.iloc[0]


def judged(printed, key, values, profile="paper", unit="%"):
    return cell(ledger.ledger(printed, measure((key, values, profile, "a-run", unit))), key)


@pytest.mark.parametrize(
    ("mean", "sem", "n", "expected"),
    [
        (69.60, 0.80, 20, "reproduced"),  # within the margin
        (67.50, 0.80, 20, "reproduced"),  # 1.75 combined standard errors below
        (71.50, 0.80, 20, "reproduced"),  # and as far above
        (66.50, 0.80, 20, "close"),  # 2.6
        (72.50, 0.80, 20, "close"),
        (65.00, 0.80, 20, "differs"),  # 4.0
        (74.00, 0.80, 20, "differs"),  # better is a deviation too
        (67.00, 2.50, 5, "close"),  # within 2 standard errors only because ours is wide
        (50.99, 0.80, 20, "differs"),
        (69.48, 0.80, 2, "not run"),  # two seeds of twenty
    ],
)
def test_the_rule_on_a_noisy_number(printed, mean, sem, n, expected):
    assert judged(printed, ENT, around(mean, sem, n)).verdict == expected


@pytest.mark.parametrize(
    ("mean", "expected"),
    [(99.79, "reproduced"), (99.77, "reproduced"), (99.755, "close"), (99.70, "differs"), (99.85, "differs")],
)
def test_near_100_a_tenth_of_a_point_is_a_difference(printed, mean, expected):
    row = judged(printed, CL1, around(mean, 0.01))
    assert row.verdict == expected
    assert row.error_ratio == pytest.approx((100 - mean) / 0.21)


def test_delta_and_its_standard_errors(printed):
    row = judged(printed, ENT, around(68.08, 0.60))
    assert row.delta == pytest.approx(-1.40) and row.delta_se == pytest.approx(-1.40)
    assert row.our_se == pytest.approx(0.60) and row.n == 20 and row.assumed == ""


def test_sd_and_sem_are_converted():
    assert verdict.paper_error(0.4, "SEM", 4, 2) == (0.4, "")
    assert verdict.paper_error(0.4, "STD", 4, 2) == (0.2, "")
    assert verdict.paper_error(0.4, "STD", None, 2)[0] == 0.4
    assert verdict.paper_error(math.nan, "none", None, 0)[0] == pytest.approx(0.2887, abs=1e-4)


def test_where_no_error_is_printed_our_spread_stands_in_and_agreement_is_close_at_most():
    se, assumed = verdict.paper_error(math.nan, "none", 4, 2, our_sd=1.0)
    assert se == 0.5 and assumed == "the paper prints no ±; taken to spread as our seeds do, over 4 runs"
    assert verdict.paper_error(math.nan, "none", None, 2, our_sd=1.0)[0] < 0.01  # of how many runs is not known

    def judge(delta, seeds=5, stated=False):
        return verdict.judge(delta, 1.0, 1 / math.sqrt(5), seeds, 1, 0.02, stated=stated)[0]

    assert [judge(delta) for delta in (0.01, 2.1, 2.3)] == ["reproduced", "close", "differs"]
    assert judge(2.1, stated=True) == "reproduced"
    assert judge(2.1, seeds=1) == "not run"  # one seed has no spread


def test_a_single_printed_run_is_not_judged_by_a_single_one_of_ours(printed):
    key = ("hrn", "table-1b", "HRN", "T0 first")
    one, three = (judged(printed, key, values) for values in ([98.0], [97.0, 98.0, 99.0]))
    assert (one.verdict, ledger.label(one)) == ("not run", "too few seeds")
    assert three.verdict == "close" and "over 1 run" in three.assumed


def test_an_unstated_error_says_what_is_assumed(printed):
    row = judged(printed, LSTM, around(88.5, 0.2))
    assert row.verdict == "reproduced" and "taken as a standard error" in row.assumed


def test_a_quoted_number_is_quoted_until_it_is_run(printed):
    empty = cell(ledger.ledger(printed, measure()), SI)
    run = judged(printed, SI, around(99.09, 0.15))
    assert (empty.verdict, ledger.label(empty)) == ("quoted", "quoted")
    assert (run.verdict, run.status, ledger.label(run)) == ("reproduced", "quoted", "reproduced (quoted)")


def test_a_number_that_is_not_what_it_is_called_is_shown_and_not_judged(printed):
    key = ("hrn", "table-b1", "Baseline", "Max task accuracy")
    for profile in ("paper", "lite"):
        row = judged(printed, key, around(98.87, 0.1), profile=profile)
        assert row.verdict == "not comparable" and row.ours == pytest.approx(98.87) and (row.profile, row.cause) == (profile, "")
        assert math.isnan(row.delta) and math.isnan(row.delta_se) and "no maximum" in row.note
    without = ledger.ledger(printed, measure())
    assert cell(without, key).verdict == "not comparable"
    for other, why in ((("hrn", "table-d14", "HRN training", "SVHN, 1 epoch"), "own machine"), (("hrn", "table-2", "High depth", "Training time"), "mark")):
        assert cell(without, other).verdict == "not comparable" and why in cell(without, other).why
    with pytest.raises(UnforgetError, match="explains hrn / table-b1 / Baseline / Max task accuracy, which is not comparable"):
        ledger.ledger(printed, measure(), causes((*key, "", "", "a longer training")))


def test_lite_is_shown_but_not_judged(printed):
    row = judged(printed, ENT, around(69.48, 0.8), profile="lite")
    assert row.verdict == "not run" and "lite" in row.why
    assert row.ours == pytest.approx(69.48) and row.profile == "lite" and math.isnan(row.delta)


@pytest.mark.parametrize("profile", ["smoke", "custom"])
def test_other_profiles_do_not_enter(printed, profile):
    row = judged(printed, ENT, around(69.48, 0.8), profile=profile)
    assert row.verdict == "not run" and math.isnan(row.ours)


def test_paper_goes_before_lite(printed):
    both = measure((ENT, around(60, 0.8), "lite", "l"), (ENT, around(69.48, 0.8), "paper", "p"))
    row = cell(ledger.ledger(printed, both), ENT)
    assert (row.verdict, row.run) == ("reproduced", "p")


def test_a_number_the_paper_does_not_print_is_ours(printed):
    key = ("hnet", "table-1", "S-CL1", "fine-tuning")
    row = judged(printed, key, around(99.0, 0.1))
    assert (row.verdict, row.status) == ("ours", "ours") and math.isnan(row.printed)


def test_counts_must_be_equal(printed):
    key = ("hnet", "text-parameters", "S classifier", "total")
    assert judged(printed, key, [465672], unit="parameters").verdict == "reproduced"
    off = judged(printed, key, [465673], unit="parameters")
    assert (off.verdict, off.why) == ("differs", "off by 1")


def test_every_printed_number_has_exactly_one_row_and_verdict(printed):
    table = ledger.ledger(printed, measure((ENT, around(50, 1), "paper", "r")))
    assert len(table) == len(printed)
    assert set(table.verdict) == {"not run", "not comparable", "quoted", "differs"}
    assert ledger.scorecard(table).to_numpy().sum() == len(printed)
    assert ledger.scorecard(table).loc[("hnet", "table-1"), "differs"] == 1


def test_names_that_are_nearly_printed_are_refused(printed):
    with pytest.raises(UnforgetError, match="did you mean lstm / table-1 / HNET / S CL1"):
        judged(printed, ("lstm", "table-1", "HNET", "S-CL1"), [99.8] * 3)


def test_a_wrong_unit_is_refused(printed):
    with pytest.raises(UnforgetError, match="measured in MSE, but printed in %"):
        judged(printed, ENT, [0.1] * 3, unit="MSE")


def test_a_cell_measured_twice_is_refused(printed):
    twice = measure((ENT, [1.0] * 3, "paper", "a"), (ENT, [2.0] * 3, "paper", "b"))
    with pytest.raises(UnforgetError, match="measured twice.*a and b"):
        ledger.ledger(printed, twice)


def test_a_missing_measured_column_is_named(printed):
    with pytest.raises(UnforgetError, match="lack the column 'sd'"):
        ledger.ledger(printed, measure().drop(columns="sd"))


BASE = (ENT, around(60, 0.8), "paper", "base")


def test_a_difference_without_cause_says_what_was_tried(printed):
    nothing = ledger.ledger(printed, measure(BASE))
    tried = ledger.ledger(printed, measure(BASE), causes((*ENT, "", "", "the other activation")))
    assert cell(nothing, ENT).cause == "unexplained; tried: nothing yet"
    assert cell(tried, ENT).cause == "unexplained; tried: the other activation"


def test_what_was_tried_for_a_whole_row_stands_at_every_cell_without_a_line_of_its_own(printed):
    row, other = (*ENT[:3], ledger.EVERY), (*ENT[:3], "EWC")
    measured = measure(BASE, (other, around(10, 0.8), "paper", "ewc"))
    table = ledger.ledger(printed, measured, causes((*row, "", "", "everything"), (*ENT, "", "", "this")))
    assert cell(table, ENT).cause == "unexplained; tried: this"
    assert cell(table, other).cause == "unexplained; tried: everything"
    column = (*ENT[:2], ledger.EVERY, ENT[3])
    table = ledger.ledger(printed, measured, causes((*column, "", "", "everywhere")))
    assert cell(table, ENT).cause == "unexplained; tried: everywhere"
    assert cell(table, other).cause == "unexplained; tried: nothing yet"
    with pytest.raises(UnforgetError, match="which no paper prints"):
        ledger.ledger(printed, measured, causes((*ENT[:2], "S-CL9", ledger.EVERY, "", "", "x")))
    with pytest.raises(UnforgetError, match="which no paper prints"):
        ledger.ledger(printed, measured, causes((*row, "luck", "ewc", "")))


def test_a_cause_names_its_run_and_where_it_moved_the_number(printed):
    moved = measure(BASE, (ENT, around(69, 0.8)[::-1], "custom", "elu"))
    table = ledger.ledger(printed, moved, causes((*ENT, "the activation", "elu", "")))
    assert cell(table, ENT).cause == "the activation (run elu: 69.00)"


def test_the_cause_of_a_count_is_another_count(printed):
    size = ("hnet", "text-parameters", "S VAE", "target")
    small, large = (size, [413_284], "paper", "small", "parameters"), (size, [555_184], "custom", "large", "parameters")
    counted = measure(small, large)
    table = ledger.ledger(printed, counted, causes((*size, "another decoder", "large", "")))
    assert cell(table, size).cause == "another decoder (run large: 555,184)"
    with pytest.raises(UnforgetError, match="did not move"):
        same = measure(small, (size, [413_284], *large[2:]))
        ledger.ledger(printed, same, causes((*size, "another decoder", "large", "")))


def test_a_cause_without_a_record_is_refused(printed):
    with pytest.raises(UnforgetError, match="names the run 'elu', of which there is no record"):
        ledger.ledger(printed, measure(BASE), causes((*ENT, "the activation", "elu", "")))


@pytest.mark.parametrize("values", [around(60.5, 0.8)[::-1], [69.0], [69.0, 69.5]])
def test_a_cause_that_did_not_move_the_number_is_refused(printed, values):
    still = measure(BASE, (ENT, values, "custom", "elu"))
    with pytest.raises(UnforgetError, match="did not move"):
        ledger.ledger(printed, still, causes((*ENT, "the activation", "elu", "")))


def test_a_cause_for_no_printed_cell_is_refused(printed):
    with pytest.raises(UnforgetError, match="which no paper prints"):
        ledger.ledger(printed, measure(BASE), causes(("hnet", "table-1", "S-CL9", "SI", "", "", "x")))


def test_a_reproduced_cell_shows_no_cause(printed):
    table = ledger.ledger(
        printed, measure((ENT, around(69.48, 0.8), "paper", "base")), causes((*ENT, "", "", "x"))
    )
    assert cell(table, ENT).cause == ""


def test_margins_come_from_the_papers_own_spread(printed):
    """Half the median standard deviation between seeds over the error rate, of the less noisy stream."""
    stated = printed[(printed.error_kind == "SEM") & (printed.paper == "hnet")]
    relative = stated.error * np.sqrt(stated.n.astype(float)) / (100 - stated["mean"])
    p10 = relative[(stated.artifact == "table-1") & stated.row.str.startswith("P10")].median()
    cifar = relative[stated.artifact == "table-5"].median()
    assert verdict.margin("hnet", "table-1", "%").share == pytest.approx(p10 / 2, abs=0.002)
    assert verdict.margin("hnet", "table-5", "%").share == pytest.approx(cifar / 2, abs=0.002)
    chance = stated[(stated.artifact == "table-1") & (stated["mean"] < 20)]
    assert verdict.margin("hnet", "table-1", "%").cap == pytest.approx(
        2 * math.sqrt(2) * chance.error.mean(), abs=0.02
    )
    split = relative[(stated.artifact == "table-1") & stated.row.str.startswith("S-")].median()
    assert verdict.margin("hnet", "table-1", "%").share < split / 5


def test_the_margin_shrinks_near_100():
    widths = [
        verdict.width(verdict.margin("hnet", "table-1", "%"), mean, 2) for mean in (60, 90, 97, 99, 99.79)
    ]
    assert widths == sorted(widths, reverse=True) and widths[0] == 0.2 and widths[-1] == 0.005


def test_every_unit_of_the_tables_has_a_margin(printed):
    for name, artifact, unit in (
        printed[["paper", "artifact", "unit"]].drop_duplicates().itertuples(index=False)
    ):
        # Times on the paper's machine, and marks, are not judged.
        assert (unit in verdict.INCOMPARABLE) != any(m.unit == unit for m in verdict.MARGINS)
        if unit not in verdict.INCOMPARABLE:
            assert verdict.margin(name, artifact, unit).reason
    with pytest.raises(UnforgetError):
        verdict.margin("hnet", "table-1", "furlongs")


def test_the_margin_table_shows_both_spreads(printed):
    table = ledger.margins(printed, measure(BASE)).set_index(["paper", "artifact", "unit"])
    assert table.loc[("*", "*", "%"), "spread"] == pytest.approx(0.8 * math.sqrt(20) / 40)
    assert 0 < table.loc[("hnet", "table-5", "%"), "printed_spread"] < 0.1


def test_the_stated_rule_has_the_constants_of_the_code():
    text = verdict.rule()
    assert f"|Δ| ≤ {verdict.AGREE_SE} SE" in text and f"|Δ| ≤ {verdict.CLOSE_SE} SE" in text
    assert f"|Δ| ≤ {verdict.CLOSE_MARGINS} m" in text and f"fewer than {verdict.MIN_SEEDS} seeds" in text
    assert all(f"- {name}:" in text for name in verdict.VERDICTS)


@pytest.fixture(scope="module")
def example(printed):
    return ledger.ledger(
        printed,
        measure(BASE, (SI, around(99.09, 0.15), "paper", "si"), (CL1, around(99.7, 0.1, 5), "lite", "l")),
        causes((*ENT, "", "", "a [bracket] & 5 %")),
    )


def test_the_terminal_table(example):
    console = Console(file=io.StringIO(), width=160)
    pages = ledger_export.to_rich(example)
    for page in pages:
        console.print(page)
    text = console.file.getvalue()
    assert "hnet table-1" in text and "60.00 ± 0.80 (20)" in text and "-9.48" in text
    assert "reproduced (quoted)" in text and "99.70 ± 0.10 (5, lite)" in text and "[bracket]" in text
    styles = {str(cell): cell.style for page in pages for column in page.columns for cell in column.cells}
    assert styles["reproduced (quoted)"] == "green" and styles["not run"] == styles["-9.48"] == ""


def test_the_csv_reads_back(example):
    text = ledger_export.to_csv(example)
    back = pd.read_csv(io.StringIO(text), keep_default_na=False)
    assert text.startswith("paper,artifact")
    assert list(back.columns) == list(ledger.COLUMNS) and len(back) == len(example)
    assert list(back.verdict) == list(example.verdict)


def test_the_latex_table_is_escaped(example):
    text = ledger_export.to_latex(example)
    assert r"\begin{longtable}" in text and r"$69.48" not in text
    assert r"60.00 $\pm$ 0.80 (20)" in text and r"a [bracket] \& 5 \%" in text and r"HNET\_IWR" in text
    assert text.isascii(), "compiles without a Unicode engine"
