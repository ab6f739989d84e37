"""Pages that come in pieces, as over a slow line: nothing moves when the rest comes."""

import time
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page

from appointments.models import Appointment
from clinic.models import Staff
from tests.browser import measuring
from tests.browser.conftest import SignIn
from tests.browser.looking import NARROWEST, SIZES
from tests.links import issued

pytestmark = pytest.mark.django_db(transaction=True)

PIECE = 700
# Longer than a frame, so that what is there is painted before more comes.
A_FRAME = 0.02


@pytest.fixture
def in_pieces(live_server: object) -> Iterator[str]:
    """The address of the same house behind a line that is so slow."""
    house = urlsplit(str(live_server))

    class Line(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            uncompressed = {**dict(self.headers), "Accept-Encoding": "identity"}
            with closing(HTTPConnection(house.hostname or "", house.port)) as asked:
                asked.request("GET", self.path, headers=uncompressed)
                answer = asked.getresponse()
                body = answer.read()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                self.send_header(name, value)
            self.end_headers()
            is_page = answer.headers.get_content_type() == "text/html"
            size = PIECE if is_page else len(body)
            for start in range(0, len(body), size):
                self.wfile.write(body[start : start + size])
                self.wfile.flush()
                time.sleep(A_FRAME if is_page else 0)

        def log_message(self, *_: object) -> None:
            pass

    line = ThreadingHTTPServer((house.hostname or "", 0), Line)
    Thread(target=line.serve_forever, daemon=True).start()
    yield f"http://{house.hostname}:{line.server_address[1]}"
    line.shutdown()
    line.server_close()


@pytest.mark.parametrize("size", [SIZES["desktop"], NARROWEST])
def test_nothing_moves_when_the_rest_of_a_page_comes(
    page: Page,
    in_pieces: str,
    sign_in: SignIn,
    manager: Staff,
    elena: list[Appointment],
    now: datetime,
    size: tuple[int, int],
) -> None:
    visit = elena[0]
    link = issued(patient_id=visit.series.patient_id, appointment=visit, now=now)
    sign_in(manager)
    page.set_viewport_size({"width": size[0], "height": size[1]})
    moved = []
    for address in (
        f"/board/?visit={visit.pk}",
        f"/visits/{visit.pk}/",
        f"/series/new/?patient={visit.series.patient_id}",
        "/staff/",
        f"/p/{link}/",
        f"/p/{link}/visits/{visit.pk}/move/",
    ):
        page.goto(f"{in_pieces}{address}")
        assert page.locator("h1").first.is_visible()
        moved += measuring.moved(page, address)
    assert moved == []
