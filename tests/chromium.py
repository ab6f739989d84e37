"""The Chromium of the browser tests. `python -m tests.chromium` installs it where that is possible.

Debian's package is used, not Playwright's download: `make test` reaches package registries only.
"""

import os
import shutil
import subprocess
import sys

MISSING = (
    "the browser tests need Chromium: install it (Debian: `apt-get install chromium`), "
    "or leave them out by `make test BROWSER=0`"
)
FLAGS = [
    *(["--no-sandbox"] if os.geteuid() == 0 else []),
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A picture that moves, from a camera that asks nobody.
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]


def wanted() -> bool:
    return os.environ.get("BROWSER") != "0"


def path() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser")


def _install() -> bool:
    """Debian's package by apt-get; only root may."""
    if os.geteuid() or not shutil.which("apt-get"):
        return False
    print("Installing Debian's chromium for the browser tests", flush=True)
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ["update", "-qq"],
        ["install", "-qq", "-y", "--no-install-recommends", "chromium"],
    ):
        done = subprocess.run(
            ["apt-get", *command], env=quiet, capture_output=True, text=True, check=False
        )
        if done.returncode:
            print(done.stderr.strip().splitlines()[-1:], file=sys.stderr)
            return False
    return path() is not None


def main() -> int:
    if not wanted():
        print("BROWSER=0: the browser tests are left out")
        return 0
    if path() or _install():
        return 0
    print(f"afterglow: {MISSING}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
