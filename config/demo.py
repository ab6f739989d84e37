"""`make demo`: a furnished clinic on this machine, from nothing to a sign-in page.

Sets up what is missing, starts every part with a stand-in for the mail and SMS providers, and stops
all of it on Ctrl-C. Reuses the data of an earlier run.
"""

import os
import secrets
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from clinic.demo_logins import LOGINS, PASSWORD
from config.embedded import Services, Unusable, default_data_dir, services
from config.parts import (
    Broken,
    Part,
    free_port,
    house,
    port_is_free,
    run_once,
    together,
    wait_healthy,
    watch_until_told,
)
from config.processes import sigterm_unwinds


def main() -> int:
    console = Console(highlight=False)
    data_dir = default_data_dir() / "demo"
    try:
        with sigterm_unwinds():
            _run(console, data_dir, _port())
    except (Unusable, Broken) as problem:
        print(f"afterglow: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    console.print("Stopped.")
    return 0


def _run(console: Console, data_dir: Path, port: int) -> None:
    with ExitStack() as stack:
        with _step(console, "Starting PostgreSQL and Redis"):
            running = stack.enter_context(services(data_dir))
        if not port_is_free(port):
            raise Broken(
                f"port {port} is in use: choose another one, e.g. `PORT={port + 1} make demo`"
            )
        ports = free_port(), free_port()
        env = _environment(running, data_dir, port, *ports)
        logs = data_dir / "logs"
        logs.mkdir(exist_ok=True)
        for label, arguments in _setup():
            with _step(console, label):
                as_owner = {"DATABASE_URL": running.owner_database_url}
                migrating = "migrate" in arguments
                run_once(
                    arguments, env | as_owner if migrating else env, logs / f"{arguments[1]}.log"
                )
        with _step(console, "Starting web, workers and beat"):
            parts = stack.enter_context(together(env, logs))
            for part in (_stand_in(data_dir, *ports), *house(data_dir / "beat")):
                parts.start(part)
            wait_healthy(parts, port, seconds=90)
        _welcome(console, data_dir, port)
        watch_until_told(parts, running)


def _setup() -> tuple[tuple[str, tuple[str, ...]], ...]:
    """What is done before the parts start. PATIENTS and WEEKS ask for a clinic of another size."""
    sizes = {f"--{name.lower()}": os.environ.get(name) for name in ("PATIENTS", "WEEKS")}
    size = [part for name, chosen in sizes.items() if chosen for part in (name, chosen)]
    return (
        ("Migrating the database", ("manage.py", "migrate", "--no-input")),
        ("Furnishing the clinic", ("manage.py", "demo_data", *size)),
        ("Loading the treatment protocols", ("manage.py", "load_protocols")),
    )


def _port() -> int:
    chosen = os.environ.get("PORT") or "8000"
    if not chosen.isdecimal() or not 0 < int(chosen) < 65535:
        raise Broken(f"PORT={chosen} is not a port number, e.g. `PORT=8001 make demo`")
    return int(chosen)


def _stand_in(data_dir: Path, http_port: int, smtp_port: int) -> Part:
    ports = ("--http-port", str(http_port), "--smtp-port", str(smtp_port))
    received = ("--data", str(data_dir / "received.jsonl"))
    return Part("stand-in", ("-m", "reminders.stand_in", *ports, *received))


def _environment(
    running: Services, data_dir: Path, port: int, http_port: int, smtp_port: int
) -> dict[str, str]:
    """The whole environment of the parts: nothing of a real installation may leak into a demo."""
    secret = _secret(data_dir)
    stand_in = f"http://127.0.0.1:{http_port}"
    kept = ("PATH", "HOME", "LANG", "LC_ALL", "TERM", "TMPDIR", "USER")
    return {name: os.environ[name] for name in kept if name in os.environ} | {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "ENV_FILE": "",
        "SECRET_KEY": secret,
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "CSRF_TRUSTED_ORIGINS": f"http://127.0.0.1:{port},http://localhost:{port}",
        "PORT": str(port),
        "DATABASE_URL": running.database_url,
        "REDIS_URL": running.redis_url,
        "EMAIL_URL": f"smtp://127.0.0.1:{smtp_port}",
        "HEALTH_DATA_AGREEMENTS": "smtp",
        "DEFAULT_FROM_EMAIL": "Afterglow demo <hello@demo.example>",
        "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
        "TWILIO_AUTH_TOKEN": secret[:32],
        "TWILIO_BASE_URL": stand_in,
        "SANDBOX_URL": stand_in,
        "JOINED_SHEETS": str(data_dir / "sheets"),
        "DEMO": "1",
    }


def _secret(data_dir: Path) -> str:
    """Made once per data directory, so that a restart signs nobody out."""
    kept = data_dir / "secret"
    if not kept.exists():
        kept.touch(mode=0o600)
        kept.write_text(secrets.token_urlsafe(48))
    return kept.read_text()


@contextmanager
def _step(console: Console, label: str) -> Iterator[None]:
    begun = time.monotonic()
    if not console.is_terminal:
        console.print(f"  … {label}", soft_wrap=True)
    columns = SpinnerColumn(), TextColumn("{task.description} …"), TimeElapsedColumn()
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as progress:
        progress.add_task(label)
        yield
    console.print(f"  [green]✓[/] {label} [dim]({time.monotonic() - begun:.1f} s)[/]")


def _welcome(console: Console, data_dir: Path, port: int) -> None:
    table = Table(box=None, padding=(0, 2), show_header=False)
    for login in LOGINS:
        table.add_row(login.role, login.email, PASSWORD)
    console.print(f"\n[bold]Afterglow: http://127.0.0.1:{port}/[/]\n")
    console.print(table)
    console.print(f"\n  Mail and texts arrive at http://127.0.0.1:{port}/sandbox/")
    console.print(f"  Data and logs: {data_dir}", soft_wrap=True)
    console.print("  Ctrl-C stops everything.\n")


if __name__ == "__main__":
    sys.exit(main())
