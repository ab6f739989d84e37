"""Pages and answers travel compressed; photos, PDFs and archives are so already."""

from __future__ import annotations

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware

_TEXTS = ("text/", "application/json")


class CompressTexts(GZipMiddleware):
    """Middleware. Each answer gets a random length more, so that its size tells nobody what is in
    it beside the words that somebody searched for."""

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        if response.streaming or not response.get("Content-Type", "").startswith(_TEXTS):
            return response
        return super().process_response(request, response)
