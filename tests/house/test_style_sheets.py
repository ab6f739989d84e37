"""The sheet of every staff page: many parts in the repository, one file for whoever asks for it."""

import re
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.test import Client
from pytest_django import Settings

from config import style_sheets
from config.embedded.places import PROJECT

SHEETS = PROJECT / "clinic" / "sheets"


@pytest.fixture
def sheets(tmp_path: Path, settings: Settings) -> Path:
    """Parts of this test's own."""
    folder = tmp_path / "clinic" / "sheets"
    folder.mkdir(parents=True)
    (folder / "app.css").write_text('@import "first.css";\n@import "last.css";\n')
    (folder / "first.css").write_text("a { color: red; }\n")
    (folder / "last.css").write_text("a { color: blue; } /* wins */\n")
    settings.BASE_DIR, settings.JOINED_SHEETS = tmp_path, tmp_path / "joined"
    return folder


def found() -> str:
    path = finders.find("clinic/app.css")
    assert path
    return Path(path).read_text()


def test_its_parts_are_joined_in_the_order_in_which_they_are_named(sheets: Path) -> None:
    assert found() == "a { color: red; }\na { color: blue; } /* wins */\n"


def test_a_part_that_changes_is_served_changed(sheets: Path) -> None:
    found()
    (sheets / "first.css").write_text("a { color: green; }\n")
    assert found().startswith("a { color: green; }")


def test_no_part_is_left_out_and_none_is_named_that_is_not_there() -> None:
    named = re.findall(r'@import "(.+)";', (SHEETS / "app.css").read_text())
    assert sorted(named) == sorted(e.name for e in SHEETS.glob("*.css") if e.name != "app.css")
    assert b"@import" not in style_sheets.joined(SHEETS / "app.css")


def test_the_web_process_serves_it_as_one_file() -> None:
    answer = Client().get("/static/clinic/app.css")
    assert answer.headers["Content-Type"].startswith("text/css")
    assert b"".join(answer) == style_sheets.joined(SHEETS / "app.css")


def collected(root: Path) -> Path:
    call_command("collectstatic", interactive=False, verbosity=0)
    (sheet,) = root.glob("clinic/app.*.css")
    return sheet


def test_its_name_in_production_changes_with_any_part(
    sheets: Path, tmp_path: Path, settings: Settings
) -> None:
    settings.STATICFILES_FINDERS = ["config.style_sheets.Joined"]
    storage = {"BACKEND": "config.style_sheets.Storage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": storage}
    names: list[str] = []
    for color in ("green", "green", "grey"):
        (sheets / "first.css").write_text(f"a {{ color: {color}; }}\n")
        settings.STATIC_ROOT = str(tmp_path / f"static-{len(names)}")
        sheet = collected(Path(settings.STATIC_ROOT))
        assert sheet.read_text() == f"a{{color: {color};}}a{{color: blue;}}"
        names.append(sheet.name)
    assert names[0] == names[1] != names[2]
