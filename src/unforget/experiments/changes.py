"""Changes to a run's options as a user writes them: read from text, and refused where they cannot work."""

import json
import math
from collections.abc import Iterable, Mapping
from types import NoneType, UnionType
from typing import Any, get_args, get_origin

from unforget.errors import UnforgetError

MAY_BE_ZERO = ("chunk_embedding", "grow", "grow_when_full", "paddings")


def read(settings: Iterable[str]) -> dict[str, Any]:
    """Options from "beta=0.1", "hidden=100,100", "look_ahead=false" or "form=direct".

    Raises `UnforgetError` for text without a name or a value, and for an option set twice.
    """
    changes: dict[str, Any] = {}
    for setting in settings:
        name, _, value = (part.strip() for part in setting.partition("="))
        if not name or not value:
            raise UnforgetError(f"cannot read the change {setting!r}; write option=value, as in --set beta=0.1")
        if name in changes:
            raise UnforgetError(f"option {name} is set twice; set it once")
        changes[name] = _value(value)
    return changes


def _value(text: str) -> Any:
    words = {"none": "null", "true": "true", "false": "false"}
    try:
        return json.loads(f"[{text}]" if "," in text and text[0] != "[" else words.get(text.lower(), text))
    except ValueError:
        return text


def written(changes: Mapping[str, Any]) -> str:
    """Changes in the form that `read` takes: "beta=0.1, hidden=[100,100]"."""
    return ", ".join(f"{name}={_text(value)}" for name, value in changes.items())


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "none" if value is None else json.dumps(value, separators=(",", ":"))


_KINDS = {
    float: "a number, as in {}=0.1", int: "a whole number, as in {}=100", bool: "true or false",
    tuple: "numbers, as in {}=100,100", NoneType: "none",
}  # fmt: skip
"""What an option of a type can be, in words; {} stands for its name."""


def check_types(method: str, hints: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Refuse values of another type than their options have, saying which; `hints` are the types of the options.

    Unknown names, and words that are no choice of an option, are left to `unforget.methods.base.options`.
    """
    for name, value in values.items():
        if get_args(hints.get(name)) == (int, ...) and isinstance(value, (list, tuple)):
            for number in value:
                if type(number) is not int:
                    raise UnforgetError(f"option {name} of {method} takes whole numbers, as in 100,100; got {number!r}")
        kinds = _kinds(hints[name]) if name in hints else set()
        if kinds and kinds <= set(_KINDS) and not _fits(value, kinds):
            words = " or ".join(text.format(name) for kind, text in _KINDS.items() if kind in kinds)
            raise UnforgetError(f"option {name} of {method} cannot be {value!r}; give {words}")


def _kinds(hint: Any) -> set[type]:
    parts = get_args(hint) if isinstance(hint, UnionType) else (hint,)
    return {get_origin(part) or part for part in parts}


def _fits(value: Any, kinds: set[type]) -> bool:
    kind = tuple if isinstance(value, list) else type(value)
    return kind in kinds or (kind is int and float in kinds)


def check_ranges(method: str, values: Mapping[str, Any]) -> None:
    """Refuse sizes below one and numbers that are negative or not finite.

    Names, types and choices of options have been checked by then (`unforget.methods.base.options`).
    """
    for name, value in values.items():
        for number in value if isinstance(value, (list, tuple)) else [value]:
            if isinstance(number, float) and not (math.isfinite(number) and number >= 0):
                raise UnforgetError(f"option {name} of {method} must be a finite number of at least 0; got {number}")
            least = 0 if name in MAY_BE_ZERO else 1
            if type(number) is int and number < least:
                raise UnforgetError(f"option {name} of {method} must be at least {least}; got {number}")
