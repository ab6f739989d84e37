"""No installation migrates or starts before the agreements about health data are on record."""

import os
import shlex

import pytest
import yaml

from config import run
from config.embedded.places import PROJECT
from config.parts import Broken
from reminders.channels import agreements

ASKED = ["manage.py", "check", "--deploy", "--tag", agreements.TAG]


def test_the_compose_file_asks_before_it_migrates_and_starts_nothing_before() -> None:
    services = yaml.safe_load((PROJECT / "docker-compose.yml").read_text())["services"]
    shell, option, script = services["migrate"]["command"]
    words = shlex.split(script)
    assert (shell, option) == ("sh", "-c")
    assert words[: len(ASKED) + 2] == ["python", *ASKED, "&&"]
    assert not {";", "||", "&", "|"} & set(words) and "migrate" in words
    ours = {name for name, each in services.items() if each["image"] == "afterglow"}
    assert {"web", "worker", "planner", "beat", "remind_loop"} <= ours
    for name in ours - {"migrate"}:
        waits_for = services[name]["depends_on"]["migrate"]["condition"]
        assert waits_for == "service_completed_successfully", name


def test_make_run_asks_before_it_meets_the_database(capfd: pytest.CaptureFixture[str]) -> None:
    env = os.environ | {
        "DATABASE_URL": "postgres://afterglow@/afterglow?host=/nowhere",
        "HEALTH_DATA_AGREEMENTS": "",
        "TWILIO_BASE_URL": "",
    }
    with pytest.raises(Broken, match=" ".join(ASKED)):
        run._prepare(env)
    told = capfd.readouterr().err
    assert "twilio, which texts go through" in told and "smtp, which mails go through" in told
