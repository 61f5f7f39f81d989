"""Finding, downloading and verifying the files of real data sets.

A file is looked for in the folder that the environment variable `UNFORGET_DATA` names, then in `data/raw`
of the project, then downloaded through torchvision into `data/raw`. Wherever it came from, what it decodes
to is compared with recorded checksums: sha256 over the bytes of the images (uint8 [n, C, H, W], in file
order) and of the labels (one byte each). They are the same for every form in which a data set is handed
out. Nothing is deleted or overwritten.
"""

import hashlib
import os
import socket
import tempfile
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from unforget.errors import UnforgetError

VARIABLE = "UNFORGET_DATA"
SECONDS_WITHOUT_AN_ANSWER = 30

Arrays = dict[str, np.ndarray]
"""x_train, x_test uint8 [n, C, H, W]; y_train, y_test [n], any integer type, values below 256."""


@dataclass(frozen=True)
class Form:
    """One form in which a data set is handed out.

    `files` maps paths below a data folder to their published md5. `read(folder)` decodes them. With
    `verify_first`, md5s are compared before anything is read; otherwise only to find the file to blame for
    wrong contents.
    """

    files: Mapping[str, str]
    read: Callable[[Path], Arrays]
    verify_first: bool = False
    archive: str = ""  # what the files are unpacked from, if not handed out one by one


@dataclass(frozen=True)
class Source:
    """A data set that comes in files; the first of `forms` is the one that `download(folder)` produces."""

    forms: tuple[Form, ...]
    shapes: Mapping[str, tuple[int, ...]]
    checksums: Mapping[str, str]  # sha256 of the decoded arrays; if not known, the md5s must do
    download: Callable[[str], None]


def project_root() -> Path:
    """The project around the working folder, else the one this package lies in, else the working folder."""
    here = Path.cwd()
    for folder in (here, *here.parents, *Path(__file__).resolve().parents):
        if (folder / "pyproject.toml").is_file() and (folder / "src" / "unforget").is_dir():
            return folder
    return here


def downloads() -> Path:
    """Where downloaded files go."""
    return project_root() / "data" / "raw"


def folders() -> list[Path]:
    """Where files are looked for, in this order. Raises `UnforgetError` if `UNFORGET_DATA` is no folder."""
    named = os.environ.get(VARIABLE, "")
    if not named:
        return [downloads()]
    folder = Path(named).expanduser().absolute()
    if not folder.is_dir():
        raise UnforgetError(f"{VARIABLE} is {str(folder)!r}, which is not a folder; correct it or unset it")
    return [folder, downloads()]


def find(source: Source) -> tuple[Path, Form] | None:
    """The first folder that holds all files of one form, and that form. Contents are not looked at."""
    for folder in folders():
        for form in source.forms:
            if all((folder / path).is_file() for path in form.files):
                return folder, form
    return None


def load(title: str, source: Source) -> tuple[Arrays, dict[str, str]]:
    """Decoded and verified arrays with their checksums, downloaded first if need be.

    Raises `UnforgetError` naming the file if one is missing (and cannot be downloaded), unreadable, or not
    what its makers published.
    """
    found = find(source)
    if found is None:
        _download(title, source)
        found = find(source)
        if found is None:
            raise UnforgetError(_missing(title, source, "the download did not bring it"))
    folder, form = found
    if form.verify_first:
        for path, md5 in form.files.items():
            _verify_md5(title, folder / path, md5)
    try:
        arrays = form.read(folder)
    except Exception as error:  # damaged bytes can make a decoder raise anything
        raise _damaged(title, folder, form, f"cannot be read: {_one_line(error)}") from error
    for part, shape in source.shapes.items():
        if arrays[part].shape != shape:
            why = f"{part} has shape {list(arrays[part].shape)}, expected {list(shape)}"
            raise _damaged(title, folder, form, why)
    found_checksums = checksums(arrays)
    for part, expected in source.checksums.items():
        if found_checksums[part] != expected:
            why = f"sha256 of {part} begins {found_checksums[part][:16]}, expected {expected[:16]}"
            raise _damaged(title, folder, form, why)
    return arrays, found_checksums


def checksums(arrays: Arrays) -> dict[str, str]:
    """sha256 of each array as uint8 in C order, whatever its integer type."""
    as_bytes = {part: np.ascontiguousarray(values, dtype=np.uint8) for part, values in arrays.items()}
    return {part: hashlib.sha256(values).hexdigest() for part, values in as_bytes.items()}


def md5_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _verify_md5(title: str, path: Path, expected: str, why: str = "") -> None:
    try:
        found = md5_of(path)
    except OSError as error:
        raise UnforgetError(f"{title}: {path} cannot be read ({_one_line(error)})") from error
    if found != expected:
        reason = f" ({why})" if why else ""
        raise UnforgetError(
            f"{title}: {path} is not the published file{reason}: md5 {found}, expected {expected}; "
            "put a fresh copy in its place, or move it away to have it downloaded"
        )


def _damaged(title: str, folder: Path, form: Form, why: str) -> UnforgetError:
    """The error for wrong contents, which names the first file that differs from the published one."""
    try:
        for path, md5 in form.files.items():
            _verify_md5(title, folder / path, md5, why)
    except UnforgetError as error:
        return error
    files = ", ".join(str(folder / path) for path in form.files)
    return UnforgetError(f"{title}: {why}, although each file has its published md5: {files}")


def _missing(title: str, source: Source, why: str) -> str:
    """Names the first missing file, of the form and folder that hold most files already."""
    places = [(folder, form) for folder in folders() for form in source.forms]
    folder, form = max(places, key=lambda place: sum((place[0] / path).is_file() for path in place[1].files))
    path = next(path for path in form.files if not (folder / path).is_file())
    archive = f", unpacked from {form.archive}" if form.archive else ""
    looked = " or ".join(str(place) for place in folders())
    return (
        f"{title}: {path} (md5 {form.files[path]}{archive}) is not in {looked}, and {why}; "
        f"put it at {folder / path}, or set {VARIABLE} to a folder that holds {path}"
    )


def _download(title: str, source: Source) -> None:
    """Into a scratch folder first: an interrupted download leaves no half file where one is looked for."""
    target = downloads()
    try:
        target.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".download-", dir=target) as scratch, _network_timeout():
            source.download(scratch)
            for path in source.forms[0].files:
                place = target / path
                place.parent.mkdir(parents=True, exist_ok=True)
                if not place.exists():
                    os.replace(Path(scratch) / path, place)
    except Exception as error:  # URL errors, HTTP errors, torchvision's RuntimeError, a full disk, ...
        raise UnforgetError(_missing(title, source, f"the download failed ({_one_line(error)})")) from error


@contextmanager
def _network_timeout():
    """torchvision sets none, and a silent server would make a run wait for ever."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(SECONDS_WITHOUT_AN_ANSWER)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 200 else text[:197] + "..."
