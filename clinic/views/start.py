"""The bare address leads to the day."""

from __future__ import annotations

from django.views.generic import RedirectView

start = RedirectView.as_view(url="/board/", query_string=True)
