"""The web process's entry."""

import gc
import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


def settle() -> None:
    """Load what the first request would load, and leave it out of what the collector looks
    through ever after: a pass over it takes as long as a page. What a page makes goes with it, all
    but a few cycles, so the collector comes after so many thousand things and not seven hundred."""
    assert get_resolver().url_patterns
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000)


application = get_wsgi_application()
settle()
