"""One learner a file. `METHODS` names them as experiments do; nothing is imported before it is asked for."""

from importlib import import_module

from unforget.errors import choose

METHODS = {
    "finetune": "unforget.methods.finetune:Finetune",
    "joint": "unforget.methods.joint:Joint",
    "ewc": "unforget.methods.ewc:EWC",
    "online-ewc": "unforget.methods.ewc:OnlineEWC",
    "si": "unforget.methods.si:SI",
    "lwf": "unforget.methods.lwf:LwF",
    "dgr": "unforget.methods.dgr:DGR",
    "dgr-distill": "unforget.methods.dgr:DGRDistill",
    "scratch": "unforget.methods.scratch:Scratch",
    "hnet": "unforget.methods.hnet:HNET",
    "hnet-joint": "unforget.methods.hnet_joint:JointHNET",
    "hnet-r": "unforget.methods.hnet_r:HNETR",
    "hnet-gan": "unforget.methods.hnet_gan:HNETGAN",
    "hnet-tir": "unforget.methods.hnet_tir:HNETTIR",
    "rpl-ub": "unforget.methods.rpl_ub:RPLUB",
    "hrn": "unforget.methods.hrn.method:HRN",
    "vc": "unforget.methods.vc:VC",
    "ewc-encoder": "unforget.methods.ewc_encoder:EWCEncoder",
    "ewc-shared": "unforget.methods.ewc_shared:EWCShared",
    "ell": "unforget.methods.ell:ELL",
}
"""Methods by name. An entry may point outside the package: add yours to train it with the same loop and records."""


def find(name: str) -> type:
    """The learner class of a method; an unknown name is refused with the nearest valid one."""
    module, _, attribute = METHODS[choose("method", name, METHODS)].partition(":")
    return getattr(import_module(module), attribute)
