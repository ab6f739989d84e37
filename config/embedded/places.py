"""Where the embedded services keep data and sockets, and who may use a place at a time."""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from pwd import getpwnam

PROJECT = Path(__file__).resolve().parent.parent.parent


class Unusable(Exception):
    """The services cannot run here; the text is one line that says what to do."""


def default_data_dir() -> Path:
    """AFTERGLOW_DATA, else `.data`; as root a public place, for PostgreSQL must not run as root."""
    if chosen := os.environ.get("AFTERGLOW_DATA"):
        return Path(chosen).expanduser().resolve()
    if os.geteuid() == 0:
        return Path("/var/tmp") / f"afterglow-{digest(PROJECT)}"
    return PROJECT / ".data"


def postgres_user() -> str | None:
    """PostgreSQL refuses to run as root; `nobody` exists everywhere and owns nothing else."""
    return "nobody" if os.geteuid() == 0 else None


def make(data_dir: Path) -> None:
    as_root = os.geteuid() == 0
    try:
        # As root, `nobody` passes through to its own subdirectory and can list nothing.
        data_dir.mkdir(mode=0o711 if as_root else 0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise _not_ours(data_dir, error) from None
    if as_root and not open_to_all(data_dir):
        raise Unusable(
            f"as root, PostgreSQL runs as the user nobody, who cannot reach {data_dir}: "
            "set AFTERGLOW_DATA to a directory under /var/tmp"
        )


@contextmanager
def exclusive(data_dir: Path) -> Iterator[None]:
    """Holds the directory; the kernel lets go when the process ends, so no lock is left over."""
    try:
        descriptor = os.open(data_dir / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _not_ours(data_dir, error) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    except BlockingIOError:
        holder = os.pread(descriptor, 20, 0).decode() or "unknown"
        raise Unusable(
            f"{data_dir} is in use by process {holder}: stop it first (Ctrl-C in its window, or "
            f"`kill {holder}`), or set AFTERGLOW_DATA to another directory"
        ) from None
    finally:
        os.close(descriptor)


@contextmanager
def sockets(data_dir: Path) -> Iterator[Path]:
    """A short path, as a socket's may have 107 bytes; ours alone, as /tmp is everybody's."""
    place = Path("/tmp") / f"afterglow-{digest(data_dir, os.geteuid())}"
    owner = postgres_user()
    uid = getpwnam(owner).pw_uid if owner else os.geteuid()
    if place.is_symlink() or (place.exists() and place.stat().st_uid != uid):
        raise Unusable(f"{place} belongs to somebody else: remove it")
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(mode=0o700)
    if owner:
        shutil.chown(place, owner)
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def open_to_all(path: Path) -> bool:
    """Whether every user can pass to `path`."""
    return all(step.stat().st_mode & 0o001 for step in (path, *path.parents))


def digest(*parts: object) -> str:
    return hashlib.sha256(repr([str(part) for part in parts]).encode()).hexdigest()[:10]


def _not_ours(data_dir: Path, error: OSError) -> Unusable:
    return Unusable(
        f"the data directory {data_dir} cannot be used ({error.strerror}): "
        "set AFTERGLOW_DATA to a directory of your own"
    )
