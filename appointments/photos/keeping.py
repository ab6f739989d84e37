"""Where the pictures lie: files outside of all that is served, readable by this program only.

The name of a file follows from the photo's random key, which stands in no address.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from uuid import UUID

from django.conf import settings

from appointments.photos.preparing import RENDITIONS


def folder() -> Path:
    return Path(settings.PRIVATE_ROOT) / "photos"


def keep(key: UUID, renditions: Mapping[str, bytes]) -> None:
    """Write all renditions, or none: they are on the disk before a row tells of them."""
    place = _place(key)
    place.mkdir(mode=0o700, parents=True, exist_ok=False)
    try:
        for name, content in renditions.items():
            descriptor = os.open(_file(key, name), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
    except OSError:
        discard(key)
        raise


def discard(key: UUID) -> None:
    """Take the files of a photo away that was not stored after all."""
    shutil.rmtree(_place(key), ignore_errors=True)


def read(key: UUID, rendition: str) -> bytes:
    """The picture. Raises FileNotFoundError when the disk lacks it."""
    return _file(key, rendition).read_bytes()


def _place(key: UUID) -> Path:
    return folder() / key.hex[:2] / key.hex


def _file(key: UUID, rendition: str) -> Path:
    if rendition not in RENDITIONS:
        raise FileNotFoundError(rendition)
    return _place(key) / f"{rendition}.jpg"
