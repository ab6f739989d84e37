"""What is taken for a photo, what of it is kept, and what is not."""

import io
import struct
import zlib
from datetime import UTC, datetime

import pytest
from PIL import Image

from appointments.photos import preparing
from appointments.photos.preparing import PictureRefused
from tests.appointments.photos.pictures import opened, picture


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "HEIF"])
def test_a_photo_is_kept_upright_in_three_sizes_with_nothing_of_its_file(kind: str) -> None:
    content = picture(kind, (3000, 1500), taken="2027:02:01 10:00:00")
    kept = preparing.prepare(content)
    assert (kept.width, kept.height) == (2400, 1200)
    assert {name: opened(each).size for name, each in kept.renditions.items()} == {
        "full": (2400, 1200),
        "screen": (1200, 600),
        "thumb": (320, 160),
    }
    for each in kept.renditions.values():
        image = opened(each)
        assert image.format == "JPEG" and not dict(image.getexif())
        assert (
            b"SecretPhone" not in each and b"Exif" not in each and "icc_profile" not in image.info
        )
    assert kept.taken == datetime(2027, 2, 1, 10, 0)


@pytest.mark.parametrize(("orientation", "corner"), [(1, (5, 5)), (3, (315, 235)), (6, (235, 5))])
def test_a_photo_is_turned_as_the_camera_was_held(
    orientation: int, corner: tuple[int, int]
) -> None:
    image = opened(preparing.prepare(picture(orientation=orientation)).renditions["thumb"])
    pixel = image.getpixel(corner)
    assert isinstance(pixel, tuple)
    assert pixel[0] > 200 and pixel[1] < 60, f"the red corner is not at {corner} of {image.size}"


@pytest.mark.parametrize(
    ("taken", "offset", "expected"),
    [
        ("2027:02:01 10:00:00", "-05:00", datetime(2027, 2, 1, 15, 0, tzinfo=UTC)),
        ("2027:02:01 10:00:00", "nonsense", datetime(2027, 2, 1, 10, 0)),
        ("0000:00:00 00:00:00", "", None),
        ("yesterday", "", None),
        ("", "", None),
    ],
)
def test_the_time_of_a_photo_is_what_it_says_if_it_makes_sense(
    taken: str, offset: str, expected: datetime | None
) -> None:
    assert preparing.prepare(picture(taken=taken, offset=offset)).taken == expected


def test_what_is_clear_becomes_white_and_every_mode_becomes_a_photo() -> None:
    for mode in ("RGBA", "LA", "P", "L", "CMYK", "I;16"):
        kept = io.BytesIO()
        image = Image.new("RGBA", (300, 300), (0, 0, 0, 0)) if mode == "RGBA" else None
        (image or Image.new(mode, (300, 300))).save(kept, "JPEG" if mode == "CMYK" else "PNG")
        drawn = opened(preparing.prepare(kept.getvalue()).renditions["thumb"])
        assert drawn.mode == "RGB"
        if mode == "RGBA":
            assert drawn.getpixel((10, 10)) == (255, 255, 255)


def test_colours_that_are_told_wrongly_stay_as_they_are() -> None:
    kept, colour = io.BytesIO(), (200, 90, 60)
    Image.new("RGB", (300, 300), colour).save(kept, "JPEG", icc_profile=b"no profile" * 20)
    drawn = opened(preparing.prepare(kept.getvalue()).renditions["thumb"])
    for band, told in zip(drawn.split(), colour, strict=True):
        assert abs(band.histogram().index(max(band.histogram())) - told) < 4


def test_large_pictures_of_every_mode_are_drawn_smaller_with_their_shades() -> None:
    for mode in ("P", "1", "LA", "RGBA"):
        kept = io.BytesIO()
        Image.linear_gradient("L").resize((2600, 400)).convert(mode).save(kept, "PNG")
        drawn = preparing.prepare(kept.getvalue())
        assert (drawn.width, drawn.height) == (2400, 369)
        shades = opened(drawn.renditions["full"]).convert("L").histogram()
        assert sum(count > 500 for count in shades[60:200]) > 30


def a_bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes that says it is enormous."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"\x00" * 1000))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not_a_picture"),
        (b"GIF89a" + b"\x00" * 100, "not_a_picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not_a_picture"),
        (b"%PDF-1.4", "not_a_picture"),
        (b"\x00\x00\x00\x18ftypmp42" + b"\x00" * 100, "not_a_picture"),
        (b"\xff\xd8\xff\xe0" + b"\x00" * 500, "broken"),
        (picture()[:-400], "broken"),
        (picture("HEIF")[:300], "broken"),
        (a_bomb(8000, 8000), "too_many_pixels"),
        (a_bomb(30_000, 30_000), "too_many_pixels"),
        (a_bomb(400, 400), "broken"),
        (picture(size=(400, 199)), "too_small"),
        (a_bomb(300, 190_000), "too_small"),
    ],
)
def test_what_is_no_photo_is_refused_with_a_sentence(content: bytes, reason: str) -> None:
    with pytest.raises(PictureRefused) as told:
        preparing.prepare(content)
    assert told.value.reason == reason and told.value.sentence.endswith(".")


def test_a_file_that_is_too_large_is_not_even_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparing, "MOST_BYTES", 1000)
    with pytest.raises(PictureRefused) as told:
        preparing.prepare(picture())
    assert told.value.reason == "too_large"
