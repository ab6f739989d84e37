"""What the repository itself promises: pinned packages without a host, settings, small styles."""

import gzip
import json
import re
from pathlib import Path

import pytest
from django.core.management import call_command
from pytest_django import Settings

from config.embedded.places import PROJECT

# Folders of static files that packages bring.
OF_OTHERS = ["admin", "rest_framework", "drf_spectacular_sidecar"]
PINNED = sorted(PROJECT.glob("requirements*.txt"))


@pytest.mark.parametrize("requirements", PINNED, ids=lambda path: path.name)
def test_every_package_is_pinned_by_hash_and_names_no_host(requirements: Path) -> None:
    text = requirements.read_text()
    packages = re.findall(r"^[a-z0-9]\S*==\S+ \\$", text, re.MULTILINE)
    assert packages
    assert len(packages) == len(re.findall(r"^[a-z0-9]", text, re.MULTILINE))
    assert text.count("--hash=sha256:") >= len(packages)
    assert "://" not in text
    assert "index" not in re.sub(r"[\w.-]+==", "", text)


def test_the_names_of_every_setting_stand_in_the_example() -> None:
    read = set()
    for source in ("settings.py", "environment.py", "run.py", "gunicorn.py"):
        text = (PROJECT / "config" / source).read_text()
        read |= set(re.findall(r"env(?:ironment)?\.\w+\(\s*\"([A-Z_]+)\"", text))
    example = set(re.findall(r"^([A-Z_]+)=", (PROJECT / ".env.example").read_text(), re.MULTILINE))
    # The image sets this one itself.
    assert read - example == {"STATIC_MANIFEST"}


def test_the_image_takes_what_the_settings_name(settings: Settings) -> None:
    let_in = set(re.findall(r"^!(\S+)$", (PROJECT / ".dockerignore").read_text(), re.MULTILINE))
    words = {Path(each).relative_to(PROJECT).parts[0] for each in settings.LOCALE_PATHS}
    named = {each.partition(".")[0] for each in settings.INSTALLED_APPS}
    apps = {each for each in named if (PROJECT / each).is_dir()}
    assert words and len(apps) == 5
    assert words | apps | {"manage.py"} <= let_in


def test_all_style_sheets_together_are_small_as_they_are_served(
    tmp_path: Path, settings: Settings
) -> None:
    settings.STATIC_ROOT = str(tmp_path)
    storage = {"BACKEND": "config.style_sheets.Storage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": storage}
    call_command("collectstatic", interactive=False, verbosity=0, ignore_patterns=OF_OTHERS)
    named = json.loads((tmp_path / "staticfiles.json").read_text())["paths"]
    ours = [each.relative_to(each.parents[1]) for each in PROJECT.glob("*/static/*/*.css")]
    ours.append(Path("clinic/app.css"))
    served = [(tmp_path / named[str(each)]).read_bytes() for each in sorted(ours)]
    assert len(served) > 10
    assert all(served)
    assert b"/*" not in b"".join(served)
    assert len(gzip.compress(b"".join(served))) <= 20 * 1024
