"""Pictures as cameras write them."""

import io

from PIL import Image


def picture(
    kind: str = "JPEG",
    size: tuple[int, int] = (400, 300),
    *,
    taken: str = "",
    offset: str = "",
    orientation: int = 1,
    place: bool = True,
    made_by: str = "SecretPhone",
) -> bytes:
    """A picture whose upper left corner is red, with what a telephone writes into it."""
    image = Image.new("RGB", size, "teal")
    image.paste("red", (0, 0, size[0] // 4, size[1] // 4))
    exif = Image.Exif()
    exif[0x010F] = made_by
    exif[0x0112] = orientation
    if taken:
        exif.get_ifd(0x8769)[0x9003] = taken
    if offset:
        exif.get_ifd(0x8769)[0x9011] = offset
    if place:
        exif.get_ifd(0x8825)[1] = "N"
        exif.get_ifd(0x8825)[2] = (40.0, 42.0, 51.0)
    kept = io.BytesIO()
    image.save(kept, kind, exif=exif)
    return kept.getvalue()


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


def numbered(number: int) -> bytes:
    """A picture that no other number gives."""
    return picture(made_by=f"Phone {number}")
