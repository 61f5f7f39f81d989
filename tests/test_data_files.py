"""Finding, reading and verifying data files: small ones of the real form, and the real ones if at hand."""

import gzip
import os
import pickle
import socket
import subprocess
import sys
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
import torch
from small_files import FORMATS, cifar_binary, cifar_pickles, mnist, put, write_idx
from torchvision import datasets

from unforget.data import catalogue, files, images, readers
from unforget.data.files import Source
from unforget.errors import UnforgetError


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    resolve = socket.getaddrinfo

    def refuse(host, *args, **kwargs):
        if host != "127.0.0.1":
            raise OSError("no network in tests")
        return resolve(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    for variable in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def project(tmp_path, monkeypatch):
    """An empty project as the working folder, and no data folder named by the environment."""
    root = tmp_path / "project"
    (root / "src" / "unforget").mkdir(parents=True)
    (root / "pyproject.toml").touch()
    monkeypatch.chdir(root)
    monkeypatch.delenv(files.VARIABLE, raising=False)
    return root


@pytest.fixture(params=FORMATS)
def written(request, project):
    """(arrays, source) of each format, its files in data/raw."""
    files.downloads().mkdir(parents=True)
    return FORMATS[request.param](files.downloads())


def failure(made: Source) -> str:
    """The one line with which loading fails."""
    with pytest.raises(UnforgetError) as caught:
        files.load("Small", made)
    assert "\n" not in str(caught.value) and str(caught.value).startswith("Small: ")
    return str(caught.value)


def some_file(made: Source, n: int = 0) -> Path:
    return files.downloads() / list(made.forms[0].files)[n]


def test_each_reader_returns_what_was_written(written):
    arrays, made = written
    read, checksums = files.load("Small", made)
    for part, values in arrays.items():
        np.testing.assert_array_equal(read[part], values)
    assert read["x_train"].dtype == np.uint8 and checksums == files.checksums(arrays)


@pytest.mark.parametrize("coarse", [False, True])
def test_pickles_and_binary_version_have_the_same_checksums(tmp_path, coarse):
    _, pickles = cifar_pickles(tmp_path, coarse)
    _, binary = cifar_binary(tmp_path, coarse)
    of_pickles, of_binary = (files.checksums(made.forms[0].read(tmp_path)) for made in (pickles, binary))
    assert of_pickles == of_binary and len(set(of_pickles.values())) == 4


def test_unpacked_idx_files_equal_packed_ones(tmp_path):
    arrays, packed = mnist(tmp_path)
    plain = readers.idx(tmp_path, write_idx(tmp_path, arrays, suffix=""))
    assert files.checksums(plain) == files.checksums(packed.forms[0].read(tmp_path))


def test_a_flipped_byte_is_named_with_both_checksums(written):
    _, made = written
    path = some_file(made)
    expected = made.forms[0].files[path.relative_to(files.downloads()).as_posix()]
    content = bytearray(path.read_bytes())
    content[-12] ^= 1
    path.write_bytes(content)
    message = failure(made)
    assert str(path) in message and "fresh copy" in message
    assert expected in message and files.md5_of(path) in message
    assert path.read_bytes() == content, "nothing is deleted or repaired behind the user's back"


@pytest.mark.parametrize("keep", [0, 0.6])
def test_a_truncated_file_is_named(written, keep):
    _, made = written
    path = some_file(made, n=1)
    path.write_bytes(path.read_bytes()[: int(keep * path.stat().st_size)])
    assert str(path) in failure(made)


def test_repacked_files_with_the_same_contents_are_accepted(project):
    _, made = mnist(files.downloads())
    path = some_file(made)
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()), compresslevel=1, mtime=7))
    assert files.md5_of(path) not in made.forms[0].files.values()
    files.load("Small", made)


def test_wrong_contents_in_undamaged_files_are_refused(written):
    """Should a decoder change its mind, the checksums of the arrays notice."""
    arrays, made = written
    wrong = files.checksums(arrays) | {"y_test": "0" * 64}
    message = failure(replace(made, checksums=wrong))
    assert "y_test" in message and files.checksums(arrays)["y_test"][:16] in message


def test_wrong_shapes_are_refused(written):
    _, made = written
    assert "x_test" in failure(replace(made, shapes=made.shapes | {"x_test": (1, 2, 3, 4)}))


class Dangerous:
    def __reduce__(self):
        return os.mkdir, ("executed",)


def test_a_foreign_pickle_is_not_executed(project):
    _, made = cifar_pickles(files.downloads())
    content = pickle.dumps(Dangerous())
    some_file(made).write_bytes(content)
    failure(made)
    assert not Path("executed").exists()
    pickle.loads(content)
    assert Path("executed").exists(), "the pickle would have done it"


def test_a_missing_file_is_named_with_checksum_and_place(written):
    _, made = written
    path = some_file(made, n=1)
    path.unlink()
    message = failure(made)
    name = path.relative_to(files.downloads()).as_posix()
    assert f"put it at {path}" in message and files.VARIABLE in message
    assert made.forms[0].files[name] in message


def test_of_two_forms_the_more_complete_one_is_reported(project):
    _, pickles = cifar_pickles(files.downloads())
    _, binary = cifar_binary(files.downloads())
    both = replace(pickles, forms=pickles.forms + binary.forms)
    for n in (0, 1, 2):
        some_file(pickles, n).unlink()
    files.load("Small", both)
    some_file(binary, n=1).unlink()
    assert str(some_file(binary, n=1)) in failure(both)


def test_the_named_folder_comes_first_then_the_project_then_a_download(project, tmp_path, monkeypatch):
    named = tmp_path / "named"
    arrays, made = mnist(named)
    calls = []

    def download(folder):
        calls.append(folder)
        write_idx(Path(folder), arrays)

    made = replace(made, download=download)
    write_idx(files.downloads(), {part: values * 0 for part, values in arrays.items()})
    monkeypatch.setenv(files.VARIABLE, str(named))
    assert files.find(made)[0] == named
    files.load("Small", made)

    monkeypatch.delenv(files.VARIABLE)
    assert str(files.downloads()) in failure(made), "the project's own files are taken, and these are wrong"
    for path in made.forms[0].files:
        (files.downloads() / path).unlink()
    assert not calls
    files.load("Small", made)
    files.load("Small", made)
    assert len(calls) == 1 and files.find(made)[0] == project / "data" / "raw"


def test_a_named_folder_without_the_files_leaves_the_project_to_be_looked_in(project, tmp_path, monkeypatch):
    _, made = mnist(files.downloads())
    monkeypatch.setenv(files.VARIABLE, str(tmp_path))
    files.load("Small", made)
    some_file(made).unlink()
    message = failure(made)
    assert str(tmp_path) in message and str(files.downloads()) in message


def test_a_folder_below_the_project_finds_the_project(project, monkeypatch):
    below = project / "notebooks" / "hnet"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    assert files.project_root() == project


def test_outside_any_project_the_installed_one_is_used(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert files.project_root() == Path(files.__file__).resolve().parents[3]


def test_an_interrupted_download_leaves_nothing_behind(project):
    _, made = mnist(files.downloads())
    for path in made.forms[0].files:
        (files.downloads() / path).unlink()

    def half(folder):
        put(Path(folder) / list(made.forms[0].files)[0], b"half")
        raise ConnectionResetError("peer went\naway")

    assert "peer went away" in failure(replace(made, download=half))
    assert not [path for path in files.downloads().rglob("*") if path.is_file()]


def test_a_download_overwrites_nothing(project):
    arrays, made = mnist(files.downloads())
    kept, lost = some_file(made), some_file(made, n=1)
    before = kept.stat().st_mtime_ns
    lost.unlink()
    files.load("Small", replace(made, download=lambda folder: write_idx(Path(folder), arrays)))
    assert kept.stat().st_mtime_ns == before and lost.is_file()


def test_torchvision_downloads_and_falls_over_to_the_next_mirror(project, tmp_path, monkeypatch):
    _, made = mnist(tmp_path)
    resources = [(Path(path).name, md5) for path, md5 in made.forms[0].files.items()]
    serve = partial(SimpleHTTPRequestHandler, directory=tmp_path)
    with ThreadingHTTPServer(("127.0.0.1", 0), serve) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        here = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setattr(datasets.MNIST, "mirrors", [f"{here}/gone/", f"{here}/MNIST/raw/"])
        monkeypatch.setattr(datasets.MNIST, "resources", resources)
        files.load("Small", replace(made, download=catalogue.MNIST.download))
        server.shutdown()
    assert files.find(made)[0] == files.downloads()
    assert not list(files.downloads().glob(".download-*"))


@pytest.mark.parametrize("name", [name for name in images.names() if not images.describe(name).embedded])
def test_without_network_and_files_one_line_says_what_to_do(project, name):
    images.load.cache_clear()
    assert not images.available(name)
    with pytest.raises(UnforgetError) as caught:
        images.load(name)
    message, form = str(caught.value), images.describe(name).source.forms[0]
    path, md5 = next(iter(form.files.items()))
    assert "\n" not in message and "the download failed" in message
    assert md5 in message and f"put it at {project / 'data' / 'raw' / path}" in message


def test_a_data_folder_that_does_not_exist_is_named(project, monkeypatch):
    monkeypatch.setenv(files.VARIABLE, "no/such/folder")
    images.load.cache_clear()
    assert not images.available("mnist") and images.available("digits")
    with pytest.raises(UnforgetError, match="no/such/folder"):
        images.load("mnist")


def test_unknown_names_are_refused_with_the_nearest():
    for function in (images.load, images.describe, images.available):
        with pytest.raises(UnforgetError, match="'fashion-mnist'"):
            function("fasion-mnist")


def test_recorded_md5s_are_those_of_torchvision():
    for ours, theirs in ((catalogue.MNIST, datasets.MNIST), (catalogue.FASHION_MNIST, datasets.FashionMNIST)):
        assert {Path(path).name: md5 for path, md5 in ours.forms[0].files.items()} == dict(theirs.resources)
    for ours, theirs in ((catalogue.CIFAR10, datasets.CIFAR10), (catalogue.CIFAR100, datasets.CIFAR100)):
        listed = theirs.train_list + theirs.test_list + [[theirs.meta["filename"], theirs.meta["md5"]]]
        assert ours.forms[0].files == {f"{theirs.base_folder}/{name}": md5 for name, md5 in listed}
        assert ours.forms[0].archive == f"{theirs.filename} with md5 {theirs.tgz_md5}"
    theirs = datasets.SVHN.split_list
    assert catalogue.SVHN.forms[0].files == {theirs[part][1]: theirs[part][2] for part in ("train", "test")}


def test_every_real_set_is_verified_one_way_or_the_other():
    for name in images.names():
        made = images.describe(name).source
        if made is not None:
            assert set(made.checksums) == set(made.shapes) or all(form.verify_first for form in made.forms)


def test_importing_has_no_side_effects_and_stays_light(tmp_path):
    code = "import sys, unforget.data.images; assert not {'torchvision', 'sklearn'} & set(sys.modules)"
    search = {"PYTHONPATH": str(Path(files.__file__).resolve().parents[2])}
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path, env=os.environ | search)
    assert not list(tmp_path.iterdir())


REAL = {  # images of the first classes in train and test: their makers' order of labels
    "mnist": ([5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949], [980, 1135, 1032]),
    "fashion-mnist": ([6000] * 10, [1000] * 10),
    "cifar10": ([5000] * 10, [1000] * 10),
    "cifar100": ([500] * 100, [100] * 100),
    "svhn": ([4948, 13861, 10585, 8497, 7458, 6882, 5727, 5595, 5045, 4659], [1744, 5099, 4149]),
}


@pytest.mark.parametrize("name", REAL)
def test_real_files(name):
    if not images.available(name):
        pytest.skip(f"{name} not found; set {files.VARIABLE}")
    images.load.cache_clear()
    about, loaded = images.describe(name), images.load(name)
    images.load.cache_clear()  # half a gigabyte in all
    assert loaded.x_train.shape == (about.train, *about.shape) and loaded.x_train.dtype == torch.uint8
    assert loaded.y_test.shape == (about.test,) and loaded.y_test.dtype == torch.int64
    train, test = REAL[name]
    assert loaded.y_train.bincount().tolist() == train and len(train) == about.classes
    assert loaded.y_test.bincount()[: len(test)].tolist() == test
