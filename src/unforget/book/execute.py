"""Executing notebooks with papermill: parameters checked first, nothing half-written left behind."""

import ast
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import nbformat
import papermill
from ipykernel.kernelspec import write_kernel_spec
from nbformat import NotebookNode

from unforget.book.notebook import ANSI, KERNEL, normalise, write
from unforget.errors import UnforgetError, choose

_TYPES = {
    "int": int,
    "float": (float, int),
    "str": str,
    "bool": bool,
    "list": list,
    "tuple": (list, tuple),
    "dict": dict,
    "None": type(None),
}


@dataclass(frozen=True)
class Executed:
    """What became of one notebook: `output` is the normalised notebook, or None with `error` as one line."""

    notebook: Path
    seconds: float
    output: Path | None
    error: str = ""


def parameters_of(notebook: Path) -> dict[str, dict]:
    """What a notebook declares in its cell tagged `parameters`: name -> type, default (source), help.

    Raises `UnforgetError` for a file that is no notebook, names no kernel, or is older than format 4.5.
    """
    try:
        version = nbformat.read(notebook, as_version=nbformat.NO_CONVERT)
        # every execution would give the cells of an older one new random ids
        if (version.get("nbformat", 0), version.get("nbformat_minor", 0)) < (4, 5):
            raise ValueError("its format is older than 4.5, the first with cell ids; save it anew")
        declared = papermill.inspect_notebook(str(notebook))
    except (OSError, ValueError, nbformat.ValidationError) as error:
        raise UnforgetError(f"cannot read the parameters of {notebook}: {_first_line(error)}") from error
    return {
        name: {"type": p["inferred_type_name"], "default": p["default"], "help": p["help"]}
        for name, p in declared.items()
    }


def check_parameters(notebook: Path, parameters: Mapping[str, object]) -> dict[str, object]:
    """Refuse unknown names and wrong types (papermill only warns); return what differs from the defaults.

    Leaving the defaults out keeps an ordinary smoke run free of an injected cell, so that a page shows one
    exactly where its parameters are not those in its source. Raises `UnforgetError`.
    """
    declared = parameters_of(notebook)
    changed = {}
    for name, value in parameters.items():
        known = declared[choose(f"parameter of {notebook.name}", name, declared)]
        if not _fits(value, known["type"]):
            raise UnforgetError(
                f"parameter {name!r} of {notebook.name} is a {known['type']}; "
                f"got {value!r} ({type(value).__name__})"
            )
        if not _same(value, known["default"]):
            changed[name] = value
    return changed


def _fits(value: object, annotation: str) -> bool:
    """Whether a value fits an annotation like `int`, `list[int]`, `str | None`; an unknown one fits all."""
    if annotation == "None":  # papermill's word for "no type given"
        return True
    outer = [re.sub(r"\[.*\]", "", part).strip(" \"'") for part in annotation.split("|")]
    if any(name not in _TYPES for name in outer):
        return True
    if isinstance(value, bool):  # to Python a bool is an int, to a reader it is not
        return "bool" in outer
    return any(isinstance(value, _TYPES[name]) for name in outer)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _same(value: object, default: str) -> bool:
    try:
        return ast.literal_eval(default) == value
    except (ValueError, SyntaxError):  # the default is an expression
        return False


def execute(
    notebook: Path,
    output: Path,
    parameters: Mapping[str, object],
    *,
    log: Path,
    variables: Mapping[str, str] | None = None,
) -> Executed:
    """Execute one notebook into `output`, which is replaced only on success.

    The kernel is this interpreter's, whatever kernels are installed elsewhere, runs in the notebook's own
    folder (as Jupyter does) with one thread, and sees `variables` added to the environment. The full
    traceback of a failure goes to `log`. A notebook that holds an error output fails, even where papermill
    let it pass.
    """
    start = time.perf_counter()
    changed = check_parameters(notebook, parameters)
    with tempfile.TemporaryDirectory(prefix="unforget-") as folder:
        raw = Path(folder) / "executed.ipynb"
        values = Path(folder) / "parameters.json"  # JSON is YAML, which papermill reads
        values.write_text(json.dumps(changed))
        command = [
            sys.executable, "-m", "papermill", str(notebook), str(raw), "--cwd", str(notebook.parent),
            "-k", KERNEL, "-f", str(values), "--no-progress-bar",
        ]  # fmt: skip
        env = _environment(Path(folder), variables or {})
        finished = subprocess.run(command, env=env, capture_output=True, text=True)
        executed = nbformat.read(raw, as_version=4) if raw.exists() else None
        error, details = _failure(finished, executed)
        seconds = time.perf_counter() - start
        if error:
            log.parent.mkdir(parents=True, exist_ok=True)
            log.write_text(details)
            return Executed(notebook, seconds, None, f"{notebook.name}: {error} (full traceback: {log})")
        log.unlink(missing_ok=True)  # of an earlier failure
        output.parent.mkdir(parents=True, exist_ok=True)
        write(normalise(executed, changed), output)
    return Executed(notebook, seconds, output)


def _environment(folder: Path, variables: Mapping[str, str]) -> dict[str, str]:
    """Environment of the kernel: this interpreter as python3, one thread, no personal IPython settings."""
    write_kernel_spec(str(folder / "jupyter" / "kernels" / KERNEL))
    env = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "JUPYTER_PATH": str(folder / "jupyter"),
        "IPYTHONDIR": str(folder / "ipython"),
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        **variables,
    }
    env.pop("MPLBACKEND", None)  # a backend set by the user would leave the pages without figures
    return env


def _failure(finished: subprocess.CompletedProcess, executed: NotebookNode | None) -> tuple[str, str]:
    """One line that says which cell failed and how, and the full text behind it; both empty if none did."""
    if executed is not None:
        for number, cell in enumerate(executed.cells):
            for out in cell.get("outputs", []):
                if out.output_type == "error":
                    trace = ANSI.sub("", "\n".join(out.traceback))
                    last = f"{out.ename}: {out.evalue}".splitlines()[0] if out.evalue else out.ename
                    return f"cell {cell.get('id', number)} failed: {last}", f"{cell.source}\n\n{trace}\n"
        if executed.metadata.get("papermill", {}).get("exception"):
            return "papermill reports an exception", finished.stderr
    if finished.returncode or executed is None:
        last = (finished.stderr.strip().splitlines() or ["no output"])[-1]
        return f"papermill failed: {last}", finished.stderr
    return "", ""


def execute_all(
    jobs: Iterable[tuple[Path, Path, Path]],
    parameters: Mapping[str, object],
    *,
    workers: int = 2,
    variables: Mapping[str, str] | None = None,
    say: Callable[[str], None],
) -> list[Executed]:
    """Execute jobs (notebook, output, log), `workers` side by side; return results in the order of the jobs.

    `say` gets a line as each ends. All parameters are checked before the first notebook starts. A failing
    notebook stops no other one.
    """
    jobs = list(jobs)
    for notebook, _, _ in jobs:
        check_parameters(notebook, parameters)
    done: dict[Path, Executed] = {}
    with ThreadPoolExecutor(max(1, workers)) as pool:
        waiting = [
            pool.submit(execute, notebook, output, parameters, log=log, variables=variables)
            for notebook, output, log in jobs
        ]
        try:
            for future in as_completed(waiting):
                result = future.result()
                done[result.notebook] = result
                told = result.error or result.notebook.name
                say(f"[{len(done)}/{len(jobs)}] {result.seconds:6.1f} s  {told}")
        except BaseException:  # Ctrl-C reaches the running kernels by itself; start no further one
            pool.shutdown(cancel_futures=True)
            raise
    return [done[notebook] for notebook, _, _ in jobs]
