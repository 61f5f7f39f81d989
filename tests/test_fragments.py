"""Generated pages from hand-made records: what each says, that no cell breaks a table, that nothing is
invented.
"""

import re
from importlib.metadata import version

import numpy as np
import pandas as pd
import pytest

from unforget import records
from unforget.book import pages
from unforget.book.fragments import claims, common, costs, coverage, environment, ledger, scorecard, verdicts
from unforget.data.files import project_root
from unforget.errors import UnforgetError
from unforget.experiments import catalogue
from unforget.results import claims as judged
from unforget.results import ledger as ledgers
from unforget.results import paper, tables
from unforget.results.verdict import VERDICTS
from unforget.source import source_hash

HOSTILE = "a|b $c$ *d* _e_ `f` <g> [h](i) {j}"
TEXTS = {
    "scorecard": scorecard.text,
    "verdict-rule": verdicts.text,
    "claims": claims.text,
    "ledger": ledger.text,
    "costs": costs.text,
    "environment": lambda results: environment.text(results, ""),
    "coverage-hnet": lambda results: coverage.text(results, "hnet"),
    "coverage-hrn": lambda results: coverage.text(results, "hrn"),
}


def matrix(final: float) -> list:
    """Five tasks with this accuracy throughout."""
    return [[final if on <= after else None for on in range(5)] for after in range(5)]


def record(
    run="split-mnist/hnet", accuracy=0.99, seeds=range(5), profile="paper", blocks=(), **run_block
) -> dict:
    """A record as an execution leaves it; `blocks` are the seeds of each part (default: all in one)."""
    experiment, declared = catalogue.of(run)
    config = experiment.resolve(declared, profile)
    spread = np.linspace(-0.001, 0.001, len(seeds))
    counts = {"trained": 465672, "theta": 465192, "task embeddings": 480, "target": 478410}
    replicas = [
        {
            "seed": seed, "scan": {}, "counts": counts, "finite": True, "probes": {},
            "scores": {view: matrix(accuracy + off) for view in config["views"]},
        }
        for seed, off in zip(seeds, spread, strict=True)
    ]  # fmt: skip
    block = {
        "seconds": {"train": 100.0, "evaluate": 20.0, "this process": 130.0}, "peak_memory_mib": 1234,
        "device": "Intel(R) Big | Machine", "device_type": "cpu", "threads": 1, "date": "2026-01-02",
        "commit": "0123456789ab", "source": source_hash(config),
    } | run_block  # fmt: skip
    return {
        "format": records.FORMAT, "config": config, "tests": [9] * 5, "checksums": {}, "replicas": replicas,
        "run": [block | {"replicas": [[seed] for seed in part]} for part in blocks or [seeds]],
    }  # fmt: skip


@pytest.fixture
def saved(tmp_path):
    """A function that writes records into a folder of their own and gathers the results from it."""

    def save(*made):
        for one in made:
            profile = catalogue.label(one["config"])
            records.save(records.path_of(tmp_path, one["config"], profile), one)
        return common.gather(tmp_path)

    return save


@pytest.fixture
def some(saved):
    return saved(
        record(), record("split-mnist/si-cl1", 0.9909), record("split-mnist/ewc-cl1", 0.9, seeds=(0, 1))
    )


def cells(line: str) -> list[str]:
    """The cells of a table row, split where Markdown would."""
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def rows(text: str, start: str) -> list[list[str]]:
    return [cells(line) for line in text.splitlines() if line.startswith(f"| {start}")]


@pytest.mark.parametrize("name", TEXTS)
def test_a_fragment_is_the_same_twice_and_every_table_is_even(some, name):
    text = TEXTS[name](some)
    assert text == TEXTS[name](some)
    widths = [len(cells(line)) if line.startswith("|") else 0 for line in text.splitlines()]
    for before, after in zip(widths, widths[1:], strict=False):
        assert before == after or 0 in (before, after), f"{name}: a row with another number of cells"
    assert "nan" not in re.findall(r"[a-z]+", text.lower())


@pytest.mark.parametrize("name", TEXTS)
def test_without_records_a_fragment_says_so(saved, name):
    text = TEXTS[name](saved())
    if name.startswith("coverage-"):
        assert {"hnet": "0 of 36", "hrn": "0 of 84"}[name.removeprefix("coverage-")] in text
        assert not re.search(r"\b[1-9]\d* of \d", text)
    elif name != "verdict-rule":
        assert re.search(r"[Nn]othing is recorded yet|Nothing recorded yet", text)
    assert not re.search(r"outcome-(reproduced|close|differs)", text)


def test_every_registered_fragment_is_wanted_by_a_chapter_and_the_other_way_round():
    chapters = common.project_root() / "book"
    assert pages.wanted(chapters) == set(pages.PAGES)
    assert set(pages.PAGES) == {*TEXTS, "ledger.csv"}


def test_pages_writes_what_chapters_name_and_nothing_else(tmp_path, monkeypatch):
    monkeypatch.setattr(
        pages, "PAGES", {"one": lambda: "text", "two.csv": lambda: "a,b\n", "three": lambda: 1 / 0}
    )
    (tmp_path / "index.md").write_text(
        "```{include} generated/one.md\n```\n{download}`all <generated/two.csv>`\n"
    )
    assert [path.name for path in pages.write(tmp_path)] == ["one.md", "two.csv"]
    assert (tmp_path / "generated" / "one.md").read_text() == "text\n"
    (tmp_path / "index.md").write_text("```{include} generated/won.md\n```")
    with pytest.raises(UnforgetError, match="unknown page fragment 'won'; did you mean 'one'"):
        pages.write(tmp_path)


@pytest.mark.parametrize("name", pages.PAGES)
def test_a_damaged_record_stops_the_page_and_is_named(saved, tmp_path, monkeypatch, name):
    saved(record())
    path = next(tmp_path.glob("**/*.json"))
    path.write_text(path.read_text().replace("0.99", "0.98", 1))
    monkeypatch.setattr(records, "results_folder", lambda: tmp_path)
    with pytest.raises(UnforgetError, match=re.escape(f"record {path} is damaged")):
        pages.PAGES[name]()


def test_escaped_text_reads_as_it_stands():
    markdown = pytest.importorskip("markdown_it").MarkdownIt("commonmark").enable("table")
    table = common.table(["x", "y"], [[common.escape(HOSTILE), "1"]], "lr", "numbers")
    rendered = markdown.render(table.split("\n\n")[1].removesuffix("\n```"))
    assert '<td style="text-align:left">a|b $c$ *d* _e_ `f` &lt;g&gt; [h](i) {j}</td>' in rendered
    assert not re.search(r"(?<!\\)\$", common.escape(HOSTILE)), "no dollar opens maths"


def test_hostile_names_stay_in_their_cells(saved, monkeypatch):
    results = saved(record())
    printed = results.printed.replace({"row": {"S-CL1": HOSTILE}})
    measured = results.measured.replace({"row": {"S-CL1": HOSTILE}})
    hostile = common.Results(printed, results.records, measured, ledgers.ledger(printed, measured))
    (row,) = rows(ledger.text(hostile), common.escape(f"{HOSTILE}, HNET+ENT"))
    assert len(row) == 7 and "outcome-differs" in row[1]


def test_the_scorecard_counts_what_the_ledger_says(some):
    text = scorecard.text(some)
    printed = some.ledger[some.ledger.status != "ours"]
    begun, judged = int((printed.profile == "paper").sum()), int(printed.verdict.isin(VERDICTS[:3]).sum())
    assert VERDICTS[:3] == ("reproduced", "close", "differs")
    assert 0 < judged < begun < len(printed)
    assert f"**{begun} of {len(printed)} printed numbers** have a recorded run" in text
    assert f"{judged} of them with enough seeds" in text
    assert "12 replicas of 3 runs recorded at the paper's protocol (on the cards below, 2 runs for two papers counted with both)." in text
    labels = printed.assign(shown=[tables.label(row) for row in printed.itertuples()])
    unbuilt = labels.shown == "not built yet"
    assert unbuilt.any() and set(printed.verdict[unbuilt]) == {"not run"}
    printed = printed.assign(verdict=printed.verdict.where(~unbuilt, labels.shown))
    for name in ("hnet", "lstm"):
        card = text.split(f"`{name}`")[1].split(":::")[0]
        for verdict, n in printed[printed.paper == name].verdict.value_counts().items():
            assert f">{verdict} <strong>{n}</strong>" in card
            assert f'class="outcome-{verdict.replace(" ", "-")}" style="flex-grow: {n}"' in card


def test_what_is_not_comparable_is_shown_and_counted_apart(saved):
    results = saved(record("ablations/baseline"))
    page, cards = ledger.text(results), scorecard.text(results)
    (row,) = rows(page, "Baseline, Max task accuracy")
    assert "outcome-not-comparable" in row[1] and row[3].startswith("99.00") and row[4] == "–"
    assert "Not comparable: what is printed cannot be what it is called. Columns (cells): Max task accuracy (12)." in page
    assert "Not comparable: a time on the paper's own machine. Columns (cells): Training time (12)." in page and "as for" not in page
    assert ">not comparable <strong>63</strong>" in cards.split("`hrn`")[1]  # and 18 times and 21 marks of other tables
    assert "**3 of " in cards and "2 of them with enough seeds for a verdict, 1 not comparable." in cards


def test_the_counts_of_the_welcome_page_and_of_the_costs_agree(saved):
    other = record("pairwise-mnist/vc", profile="lite")
    certain = record("split-mnist-certainty/hnet", seeds=(0, 1, 2))
    results = saved(record(), other, certain)
    said = scorecard.text(results)
    assert "8 replicas of 2 runs recorded at the paper's protocol, 5 replicas of 1 run at others" in said
    assert "1 run for two papers counted with both and 1 run for no number of a paper with none" in said
    assert "3 recorded runs of all profiles with 13 replicas" in costs.text(results)


def test_a_paper_without_a_transcription_says_so(some):
    numbers = some.printed[some.printed.paper != "lstm"]
    measured = some.measured[some.measured.paper != "lstm"]
    without = common.Results(numbers, some.records, measured, ledgers.ledger(numbers, measured))
    for text in (scorecard.text(without).split("`lstm`")[1], ledger.text(without).split("`lstm`")[1]):
        assert text.split("##")[0].split(":::")[0].count("Not transcribed yet") == 1
    assert "Not transcribed yet; 12 claims listed." in scorecard.text(some).split("`dynamos`")[1]


def test_the_rule_is_the_codes_own(some):
    text = verdicts.text(some)
    assert all(f"- **{name}**: " in text for name in VERDICTS)
    assert len(rows(text, "")) == len(ledgers.margins(some.printed, some.measured)) + 2
    (row,) = rows(text, "accuracies of `hnet`")
    assert row[1] == "2 % of the error rate, at most 0.5 points" and row[2].endswith(" %") and row[3] == "–"


def test_a_claim_has_both_outcomes_with_reasons(some):
    text = claims.text(some)
    card = text.split("**h07**")[1].split(":::")[0]
    theirs, ours = card.split("Our records\n: ")
    assert "outcome-held" in theirs and "99.79 above EWC 99.12" in theirs
    assert "outcome-undecided" in ours and "1 of 3 parts" in ours and "99.00 within error of SI 99.09" in ours
    assert text.count(":::{div} claim") + text.count("\n- **") == len(claims.claims.CLAIMS)
    assert "12 claims without an evaluation yet" in text.split("`dynamos`")[1]


def test_pages_call_an_outcome_by_one_name_that_is_explained_and_coloured(some):
    book = project_root() / "book"
    explained, colours = (book / "how-to-read.md").read_text(), (book / "_static" / "custom.css").read_text()
    for outcome in judged.OUTCOMES:
        assert f"| *{outcome}* |" in explained, outcome
        assert re.search(rf"\.outcome-{outcome.replace(' ', '-')}[, ]", colours), outcome
    outcomes = judged.evaluate(some.printed, some.measured)
    page, cards = claims.text(some), scorecard.text(some)
    assert ">not run<" not in page and "open" in set(outcomes.ours) & set(outcomes.printed)
    for name, rows in outcomes.groupby("paper"):
        card = cards.split(f"`{name}`")[1].split(":::")[0].partition("claims** on our records")[2]
        for column, part in zip(("ours", "printed"), card.split("and on the paper's own numbers"), strict=False):
            shown = dict(re.findall(r">([a-z ]+) <strong>(\d+)</strong>", part))
            assert not card or shown == {o: str(n) for o, n in rows[column].value_counts().items()}


def test_the_ledger_shows_recorded_numbers_and_folds_the_rest(some):
    text = ledger.text(some)
    table_1 = text.split("### Table 1")[1].split("### ")[0]
    shown, folded = table_1.split("````{dropdown}")
    (ent,) = rows(shown, "S-CL1, HNET+ENT")
    assert ent[2] == "99.79 ± 0.01 (20)" and ent[3].startswith("99.00 ± 0.04 (5)") and ent[6] == "−0.79"
    assert "outcome-differs" in ent[1] and "split-mnist/hnet" in ent[5]
    (differ,) = [line for line in folded.splitlines() if line.startswith("- **")]
    assert differ.startswith("- **S-CL1, HNET+ENT, HNET+TIR; S-CL3, HNET+ENT** differ. ") and differ.endswith("Unexplained; tried: nothing yet.")
    (si,) = rows(shown, "S-CL1, SI")
    assert ">reproduced (quoted)<" in si[1]
    assert rows(folded, "P10-CL1, EWC") and not rows(shown, "P10-CL1, EWC")
    others = text.split("### Other artefacts of `hnet`")[1].split("##")[0]
    table_6 = some.printed[(some.printed.paper == "hnet") & (some.printed.artifact == "table-6")]
    own = table_6[table_6.status == "own"]
    built = [("hnet", "table-6", row, column) in catalogue.filling() for row, column in zip(own.row, own.column, strict=True)]
    quoted = len(table_6) - len(own)
    assert 0 < sum(built) < len(built) and quoted
    assert rows(others, "Table 6")[0][2:] == [str(n) for n in (sum(built), len(built) - sum(built), quoted)]
    assert not rows(others, "Table 1")
    (count,) = rows(text, "S classifier, total")
    assert count[2:4] == ["465,672", "465,672"] and count[6] == "0"


def test_diverged_seeds_are_named_in_place_of_a_zero_and_our_own_rows_are_folded(saved):
    lost = record("split-mnist/finetune-cl1", 0.0)
    lost["replicas"] = [replica | {"scores": {"CL1": matrix(0.0)}, "finite": False} for replica in lost["replicas"]]
    part = record("split-mnist/si-cl1", 0.9)
    part["replicas"][0]["finite"] = False
    text = ledger.text(saved(record(), lost, part))
    table_1 = text.split("### Table 1")[1].split("### ")[0]
    shown, ours, rest = table_1.split("````{dropdown} ")[0], *table_1.split("````{dropdown} ")[1:]
    assert "that the paper does not print" in ours.splitlines()[0] and "without a record" in rest.splitlines()[0]
    assert not rows(shown, "S-CL1, fine-tuning") and rows(ours, "S-CL1, fine-tuning")[0][2] == "5 of 5 seeds diverged"
    assert rows(shown, "S-CL1, SI")[0][3].endswith("(5), 1 of 5 seeds diverged")


def test_too_few_seeds_are_named(some):
    lstm = ledger.text(some).split("`lstm`")[1]
    assert re.search(r"2 of several seeds are too few to judge\. EWC, S CL1\.", lstm)


def test_another_profile_is_shown_with_its_name_but_not_counted(saved):
    results = saved(record())
    lite = results.measured.assign(profile="lite")
    text = ledger.text(common.Results(results.printed, (), lite, ledgers.ledger(results.printed, lite)))
    assert rows(text, "S-CL1, HNET+ENT")[0][3].endswith("(5, lite)") and "**0 of " in text
    assert "S-CL1, HNET+ENT" in text.split("Run at profile lite only. ")[1].split("\n")[0]


def test_the_whole_ledger_is_a_csv(saved, tmp_path, monkeypatch):
    whole = saved(record()).ledger
    monkeypatch.setattr(records, "results_folder", lambda: tmp_path)
    (tmp_path / "ledger.csv").write_text(pages.PAGES["ledger.csv"]())
    back = pd.read_csv(tmp_path / "ledger.csv", keep_default_na=False)
    assert len(back) == len(whole) and list(back.verdict) == list(whole.verdict)


def test_costs_per_run(saved):
    text = costs.text(saved(record(seeds=[0, 1, 2, 3, 7], blocks=[[0, 1], [2, 3, 7]])))
    (row,) = rows(text, "{doc}`hnet" if "{doc}" in text else "hnet")
    assert row[1:] == [
        "0–3, 7", "48.0", "1,234", "465,672", "2026-01-02", "`0123456`",
        '<span class="outcome outcome-current">current</span>',
    ]  # fmt: skip
    assert "1 recorded run of all profiles with 5 replicas took 4 minutes" in text
    assert "Split MNIST, profile paper, Intel Big \\| Machine, 1 thread" in text


def test_costs_name_devices_where_they_differ(saved):
    gpu = record("split-mnist/hnet-cl2", device="Fast Card", device_type="cuda")
    text = costs.text(saved(record(), gpu))
    assert re.search(r"hnet-cl2.*, Fast Card \|", text) and "MNIST, profile paper\n" in text


def test_the_badge_compares_the_source(saved):
    old = record("split-mnist/si-cl1", source="000000000000")
    mixed = record("split-mnist/hnet", blocks=[[0, 1, 2], [3, 4]])
    mixed["run"][1]["source"] = "000000000000"
    text = costs.text(saved(old, mixed))
    assert ">code changed since</span>" in text and ">code changed since (2 of 5 replicas)</span>" in text


def test_costs_of_an_experiment_that_is_no_longer_declared(saved, tmp_path):
    gone = record()
    gone["config"]["run"], gone["config"]["method"] = "gone/away", "vanished"
    text = costs.text(saved(gone))
    assert "gone, profile custom" in text and rows(text, "away")[0][-1].count("code changed since") == 1


def test_the_environment_names_versions_lock_and_devices(some):
    lock = "# made by\nnumpy==1 ; python_version < '3.12' \\\n    --hash=sha256:0\nnumpy==2\nTorch==3 \\\n"
    text = environment.text(some, lock)
    assert rows(text, "torch ") == [["torch", version("torch")]]
    assert "The lock file holds 2 packages." in text and "Intel Big \\| Machine, 1 thread" in text
    assert "no lock file" in environment.text(some, "")


def test_coverage_counts_every_artefact_of_the_paper(some):
    text = coverage.text(some, "hnet")
    own = some.ledger[(some.ledger.paper == "hnet") & (some.ledger.artifact == "table-1")]
    expected = int(((own.profile == "paper") & (own.status != "ours")).sum())
    (table_1,) = rows(text, "**Table 1**")
    assert table_1[1] == f"{expected} of 36" and "Split MNIST" in table_1[2]
    (table_6,) = rows(text, "**Table 6**")
    assert table_6[1] == "0 of 10" and "Permuted MNIST" in table_6[2]
    (table_5,) = rows(text, "**Table 5**")
    assert table_5[1:] == ["0 of 4", "not built yet"]
    (figure_2,) = rows(text, "**Figure 2**")
    assert figure_2[1] == "none printed" and "Toy regression" in figure_2[2]
    totals = [int(n) for n in re.findall(r"\| \d+ of (\d+) \|", text)]
    assert sum(totals) == int((paper.load().paper == "hnet").sum()), "every printed number is in one row"


def test_coverage_names_notebooks_that_draw_without_filling_a_printed_number(some):
    text = coverage.text(some, "hrn")
    (figure_2,) = rows(text, "**Figure 2**")
    assert figure_2[1] == "none printed" and all(name in figure_2[2] for name in ("Pairwise MNIST", "SVHN, then CIFAR-100"))
    (marks,) = rows(text, "**Table 2**")
    assert marks[1] == "0 of 21" and "Ablations" in marks[2]
    assert {group for drawn in coverage.DRAWN.values() for group in drawn} <= set(coverage.CONTENTS["hrn"])
    for source, apart in coverage.APART.items():
        for group, (page, called) in apart.items():
            assert f"{called} </notebooks/{page}>" in coverage.text(some, source) and group in coverage.CONTENTS[source]
            assert (project_root() / "notebooks" / f"{page}.ipynb").exists()
    totals = [int(n) for n in re.findall(r"\| \d+ of (\d+) \|", text)]
    assert sum(totals) == int((paper.load().paper == "hrn").sum()), "every printed number is in one row"


def test_links_lead_to_notebooks_that_exist(monkeypatch, tmp_path):
    monkeypatch.setattr(common, "project_root", lambda: tmp_path)
    assert common.notebook("split-mnist/hnet") == "split-mnist/hnet"
    (tmp_path / "notebooks" / "hnet").mkdir(parents=True)
    (tmp_path / "notebooks" / "hnet" / "split-mnist.ipynb").touch()
    assert common.notebook("split-mnist/hnet") == "{doc}`split-mnist/hnet </notebooks/hnet/split-mnist>`"
    assert common.notebook("gone/away") == "gone/away"
