"""What is in the archive of a record."""

import io
import zipfile
from datetime import datetime

from clinic.models import Staff
from reminders.models import RecordExport
from reminders.records import exporting


def files_of(asked: RecordExport, *, by: Staff, now: datetime) -> dict[str, bytes]:
    """The files of the ZIP by name."""
    whole = io.BytesIO(b"".join(exporting.take(asked=asked, by=by, now=now)))
    with zipfile.ZipFile(whole) as archive:
        return {name: archive.read(name) for name in archive.namelist()}
