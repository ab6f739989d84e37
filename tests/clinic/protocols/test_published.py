"""What is published never changes under its version: a house that has it could not take it over."""

import json
from pathlib import Path

from clinic.protocols import loading, reading

PUBLISHED = Path(__file__).parent / "published.json"


def test_no_protocol_of_the_library_changes_without_a_new_version() -> None:
    """After a change of a file, raise its `version` and add the new line to `published.json`."""
    published = json.loads(PUBLISHED.read_text(encoding="utf-8"))
    for path in sorted(loading.LIBRARY.glob("*.toml")):
        protocol = reading.read(path.read_text(encoding="utf-8"), filename=path.name)
        name = f"{protocol.id} {protocol.version}"
        assert published.get(name) == reading.digest(protocol), name
