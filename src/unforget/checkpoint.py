"""Checkpoints that survive anything: written aside and moved into place, hashed, and the previous one kept."""

import hashlib
import io
import os
from pathlib import Path
from typing import Any

import torch

from unforget.errors import UnforgetError

_MAGIC = b"unforget checkpoint 1\n"


class Checkpoint:
    """One run's checkpoint at `path`; the one before it at `path` + ".previous"."""

    def __init__(self, path: Path):
        self.path = Path(path)
        self.previous = self.path.with_name(self.path.name + ".previous")

    def save(self, content: dict[str, Any]) -> None:
        """Write tensors and plain values; a crash at any moment leaves a whole checkpoint behind.

        Raises `UnforgetError` where the disk is full or not writable.
        """
        buffer = io.BytesIO()
        torch.save(content, buffer)
        body = buffer.getvalue()
        part = self.path.with_name(f"{self.path.name}.{os.getpid()}.part")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with open(part, "wb") as file:
                file.write(_MAGIC + hashlib.sha256(body).digest() + body)
                file.flush()
                os.fsync(file.fileno())
            if self.path.exists():
                self.path.replace(self.previous)
            part.replace(self.path)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise UnforgetError(f"cannot write checkpoint {self.path}: {error.strerror}; the last one is kept") from None

    def load(self, device: torch.device) -> dict[str, Any] | None:
        """The newest whole checkpoint, or None where there is none.

        Raises `UnforgetError` where files exist and none is whole.
        """
        found = [path for path in (self.path, self.previous) if path.exists()]
        for path in found:
            data = path.read_bytes()
            digest, body = data[len(_MAGIC) :][:32], data[len(_MAGIC) + 32 :]
            if data.startswith(_MAGIC) and hashlib.sha256(body).digest() == digest:
                return torch.load(io.BytesIO(body), map_location=device, weights_only=True)
        if found:
            raise UnforgetError(f"checkpoint {self.path} is damaged; delete it to train this run from its start")
        return None

    def remove(self) -> None:
        """Forget this run's checkpoints (its record is written)."""
        self.path.unlink(missing_ok=True)
        self.previous.unlink(missing_ok=True)
