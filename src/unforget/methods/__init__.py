"""One learner a file. `METHODS` names them as experiments do; nothing is imported before it is asked for."""

from importlib import import_module

from unforget.errors import choose

METHODS = {
    "finetune": "finetune.Finetune",
    "joint": "joint.Joint",
    "ewc": "ewc.EWC",
    "online-ewc": "ewc.OnlineEWC",
    "si": "si.SI",
    "hnet": "hnet.HNET",
}


def find(name: str) -> type:
    """The learner class of a method; an unknown name is refused with the nearest valid one."""
    module, _, attribute = METHODS[choose("method", name, METHODS)].partition(".")
    return getattr(import_module(f"unforget.methods.{module}"), attribute)
