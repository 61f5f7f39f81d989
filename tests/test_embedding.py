"""The plane of task embeddings: probes against one network at a time, and what records of them say."""

import pytest
import tiny
import torch

from unforget import evaluation
from unforget.errors import UnforgetError
from unforget.experiments import catalogue, work
from unforget.experiments.work import Job
from unforget.probes.embedding import SIDE, embeddings, exchange, plane, right
from unforget.results import embedding, figures, measured

AXIS = [-5 + 0.25 * i for i in range(41)]


@pytest.fixture(scope="module", params=["CL1", "CL2"])
def trained(request):
    learner, stream = tiny.learner("hnet", request.param, task_embedding=2)
    return tiny.train(learner, stream), stream, request.param


def one_at_a_time(learner, stream, scenario, e, task):
    """Test accuracy [S] of a task whose embedding is replaced by e [S, 2], by the evaluation every run goes through."""
    return evaluation.score(Replaced(learner, e, task), stream, scenario, task, stream.tasks)


class Replaced:
    """A learner that is always told the task, writes its network from another embedding, one replica after the other."""

    def __init__(self, learner, e, task):
        self.learner, self.task = learner, task
        theta = learner.state["theta"]
        self.weights = [learner.hyper.generate(theta[s : s + 1], e[s : s + 1, None])[:, 0] for s in range(len(theta))]

    def predict(self, x, task, tasks_seen):
        outputs = torch.cat([self.learner.net.apply(weights, x) for weights in self.weights])
        return self.learner.head.offered(outputs, self.task, tasks_seen)


def test_exchange_equals_replacing_one_embedding_at_a_time(trained):
    learner, stream, scenario = trained
    found = exchange(learner, stream)
    assert found.shape == (3, stream.tasks, stream.tasks) and found.unique().numel() > 2
    for task, test in enumerate(stream.tests):
        for k in range(stream.tasks):
            slow = one_at_a_time(learner, stream, scenario, learner.state["e"][:, k], task)
            assert (found[:, task, k].double() / len(test)).tolist() == slow.tolist()


def test_plane_equals_replacing_the_embedding_by_a_point_at_a_time(trained):
    learner, stream, scenario = trained
    found = plane(learner, stream)
    assert found.shape == (3, 2, SIDE, SIDE) and found.flatten(2).unique(dim=-1).shape[-1] > 2
    for i, j in ((0, 0), (40, 3), (17, 22), (3, 40)):
        point = torch.tensor([AXIS[i], AXIS[j]]).expand(3, 2)
        for which, task in ((0, 0), (1, stream.tasks - 1)):
            slow = one_at_a_time(learner, stream, scenario, point, task)
            assert (found[:, which, i, j].double() / len(stream.tests[task])).tolist() == slow.tolist()


def test_how_many_networks_are_tested_at_once_changes_nothing(trained, monkeypatch):
    learner, stream, _ = trained
    whole = plane(learner, stream)
    monkeypatch.setattr("unforget.probes.embedding.NETWORKS", 1)
    points = torch.tensor([[AXIS[0], AXIS[0]], [AXIS[0], AXIS[1]], [AXIS[0], AXIS[2]]]).expand(3, -1, -1)
    assert right(learner, stream, points, (0, stream.tasks - 1)).tolist() == whole[:, :, 0, :3].tolist()


def test_a_diverged_replica_is_right_nowhere(trained):
    learner, stream, _ = trained
    kept = learner.state["theta"]
    learner.state["theta"] = kept.clone()
    learner.state["theta"][1] = torch.nan
    counts = exchange(learner, stream)
    learner.state["theta"] = kept
    assert counts[1].sum() == 0 and counts[0].sum() > 0


def test_probes_leave_the_learner_as_it_was(trained):
    learner, stream, _ = trained
    before = {name: value.clone() for name, value in learner.state.items()}
    for probe in (embeddings, exchange, plane):
        probe(learner, stream)
    assert all(torch.equal(before[name], value) for name, value in learner.state.items())
    learner_e = embeddings(learner, stream)
    learner_e += 1
    assert torch.equal(learner.state["e"], before["e"])


def test_the_plane_is_refused_in_other_dimensions():
    learner, stream = tiny.learner("hnet", task_embedding=3)
    with pytest.raises(UnforgetError, match="needs task_embedding=2, not 3"):
        plane(learner, stream)


@pytest.fixture(scope="module")
def record():
    """The section's run on embedded digits, shortened."""
    experiment, run = catalogue.of("split-embedding-2d/hnet")
    changes = {"iterations": 3, "hidden": [6, 5], "chunk_size": 500}
    return work.train(Job(experiment.resolve(run, "smoke", changes), (0, 1)))[0]


def test_a_record_keeps_counts_from_which_its_own_scores_follow(record):
    acc = embedding.exchange(record)
    for s, replica in enumerate(record["replicas"]):
        assert acc[s].diagonal() == pytest.approx(replica["scores"]["CL1"][-1])
    assert embedding.plane(record).shape == (2, 2, SIDE, SIDE) and embedding.positions(record).shape == (2, 5, 2)
    assert 0 <= embedding.plane(record).min() and embedding.plane(record).max() <= 1


def test_metrics_of_embeddings(record):
    counts = [[[0] * SIDE for _ in range(SIDE)] for _ in range(2)]
    counts[0][3][4] = record["tests"][0]
    counts[1] = [[round(0.95 * record["tests"][-1])] * SIDE for _ in range(SIDE)]
    made = {**record, "replicas": [{**record["replicas"][0], "probes": record["replicas"][0]["probes"] | {"embedding plane": counts}}]}
    assert embedding.metric(made, "plane 1") == pytest.approx([1 / SIDE**2]) and embedding.metric(made, "plane 5") == [1.0]
    at = record["replicas"][0]["probes"]["embedding exchange"][4][1] / record["tests"][4]
    assert embedding.metric(made, "task 5 at 2") == [at]
    for name in ("plane 2", "task 1", "plane"):
        with pytest.raises(UnforgetError, match="unknown metric of embeddings"):
            embedding.metric(made, name)


def test_cells_of_figure_4_come_from_the_probes(record):
    cells = {(cell.row, cell.column): cell for cell in measured.from_records([record]).itertuples() if cell.artifact == "figure-4"}
    assert len(cells) == 5 + 2 * 4 + 2
    assert cells["task 5", "embedding 2"].values == pytest.approx(100 * embedding.exchange(record)[:, 4, 1])
    assert cells["task 1", "plane solved"].values == pytest.approx(100 * embedding.metric(record, "plane 1"))
    assert {cell.unit for cell in cells.values()} == {"%"}


def test_the_figure_says_what_the_plane_holds(record):
    accuracy = embedding.plane(record)[0]
    plot = figures.embedding_planes(accuracy, embedding.positions(record)[0])
    share = 100 * (accuracy[0] >= 0.9).mean()
    assert f"Task 1: at least 90 % on {share:.0f} % of the plane" in plot.alt and "Task 5" in plot.alt
    assert len(plot.data) == 2 * SIDE**2
    point = plot.data[(plot.data.task == 5) & (plot.data.e_1 == -5.0) & (plot.data.e_2 == -4.75)]
    assert point.accuracy.tolist() == [100 * accuracy[1, 0, 1]]
