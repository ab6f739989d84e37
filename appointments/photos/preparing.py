"""From the bytes that somebody handed in to the pictures that are kept. No database, no files.

What a file is, is read from its content and never from its name. Size and pixels are bounded before
anything is decoded, so that a small file cannot become a huge picture. The time is taken out, the
picture turned upright and drawn anew: nothing of the original file remains, neither where it was
taken nor by which device.
"""

from __future__ import annotations

import hashlib
import io
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from PIL import Image, ImageCms, ImageOps
from pillow_heif import register_heif_opener

from clinic.saying import gettext

register_heif_opener(thumbnails=False)

MOST_BYTES = 25 * 1024 * 1024
MOST_PIXELS = 60_000_000
LEAST_SIDE = 200
# The longest side of each rendition, and how well it is drawn.
RENDITIONS = {"full": (2400, 90), "screen": (1200, 85), "thumb": (320, 80)}
_QUALITY_OF_COLOUR = ImageCms.Intent.PERCEPTUAL
# Between two of their colours there is none, so they are drawn smaller in others.
_WITHOUT_SHADES = ("1", "P", "PA", "I;16")
_EXIF_IFD, _TAKEN, _OFFSET = 0x8769, 0x9003, 0x9011
_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")


class PictureRefused(ValueError):
    """The file cannot be kept; `sentence` says why and what to do, `reason` names it."""

    code = "picture_refused"
    field = "file"

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason, self.sentence = reason, sentence


@dataclass(frozen=True, slots=True)
class Picture:
    """`renditions` are JPEG by name; `width` and `height` those of the largest. `taken` is what the
    file said of its time: aware, or a wall time without a zone, or None."""

    renditions: Mapping[str, bytes]
    width: int
    height: int
    digest: str
    taken: datetime | None


def prepare(content: bytes) -> Picture:
    """Check a file and draw its renditions. Raises PictureRefused."""
    if len(content) > MOST_BYTES:
        raise too_large()
    kind = _kind(content)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return _drawn(content, kind)
    except PictureRefused:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_many_pixels() from None
    except Exception:  # noqa: BLE001 - the decoders raise many kinds on a broken file
        raise PictureRefused(
            "broken",
            gettext("This picture is broken or not whole. Take it once more, or send another one."),
        ) from None


def too_large() -> PictureRefused:
    most = MOST_BYTES // 1024 // 1024
    return PictureRefused(
        "too_large",
        gettext("This file is larger than %(most)s MB. Send a smaller picture.") % {"most": most},
    )


def _too_many_pixels() -> PictureRefused:
    most = MOST_PIXELS // 1_000_000
    return PictureRefused(
        "too_many_pixels",
        gettext("This picture has more than %(most)s million pixels. Send a smaller one.")
        % {"most": most},
    )


def _kind(content: bytes) -> str:
    """Pillow's name of the format, by the first bytes."""
    if content.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if content[4:8] == b"ftyp" and content[8:12] in _HEIC_BRANDS:
        return "HEIF"
    raise PictureRefused(
        "not_a_picture",
        gettext("This is no photo that we can read. Send a JPEG, PNG or HEIC picture."),
    )


def _drawn(content: bytes, kind: str) -> Picture:
    with Image.open(io.BytesIO(content), formats=[kind]) as image:
        if image.width * image.height > MOST_PIXELS:
            raise _too_many_pixels()
        longest, _ = RENDITIONS["full"]
        # A strip is kept no wider than its length lets it.
        if min(image.size) * min(1, longest / max(image.size)) < LEAST_SIDE:
            raise PictureRefused(
                "too_small",
                gettext("This picture is too small to compare. Each side needs %(least)s pixels.")
                % {"least": LEAST_SIDE},
            )
        taken = _taken(image)
        image.draft("RGB", (longest, longest))  # a JPEG is decoded no larger than it is needed
        plain = _in_plain_colours(_no_larger(image, longest))
        plain.info["exif"] = image.getexif().tobytes()
        upright = ImageOps.exif_transpose(plain)
    drawn = {name: _drawn_as(upright, *how) for name, how in RENDITIONS.items()}
    sizes = {name: size for name, (_, size) in drawn.items()}
    return Picture(
        renditions={name: picture for name, (picture, _) in drawn.items()},
        width=sizes["full"][0],
        height=sizes["full"][1],
        digest=hashlib.sha256(content).hexdigest(),
        taken=taken,
    )


def _no_larger(image: Image.Image, longest: int) -> Image.Image:
    """As few pixels as are kept, before anything else is done with them."""
    if image.mode in _WITHOUT_SHADES:
        image = image.convert("RGBA" if "transparency" in image.info else "RGB")
    image.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    return image


def _in_plain_colours(image: Image.Image) -> Image.Image:
    """On white where it was clear, in the colours that every screen shows the same."""
    profile = image.info.get("icc_profile")
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        clear = image.convert("RGBA")
        plain = Image.new("RGB", image.size, "white")
        plain.paste(clear, mask=clear.getchannel("A"))
    else:
        plain = image.convert("RGB")
    if profile and image.mode in ("RGB", "RGBA"):
        try:
            wide = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(
                plain, wide, ImageCms.createProfile("sRGB"), renderingIntent=_QUALITY_OF_COLOUR
            )
            plain = converted or plain
        except (ImageCms.PyCMSError, OSError):
            pass  # a broken profile leaves the colours as they are
    return plain


def _drawn_as(image: Image.Image, longest: int, quality: int) -> tuple[bytes, tuple[int, int]]:
    drawn = image.copy()
    drawn.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    bare = Image.new("RGB", drawn.size)
    bare.paste(drawn)  # pixels only: what came along with the file stays behind
    kept = io.BytesIO()
    bare.save(kept, "JPEG", quality=quality, optimize=True)
    return kept.getvalue(), bare.size


def _taken(image: Image.Image) -> datetime | None:
    """When the file says that it was taken; None when it does not, or nonsense."""
    told = image.getexif().get_ifd(_EXIF_IFD)
    try:
        wall = datetime.strptime(str(told[_TAKEN]).strip("\x00 "), "%Y:%m:%d %H:%M:%S")  # noqa: DTZ007 - a wall time
    except (KeyError, ValueError):
        return None
    try:
        sign, hours, minutes = told[_OFFSET][0], told[_OFFSET][1:3], told[_OFFSET][4:6]
        away = timedelta(hours=int(hours), minutes=int(minutes))
        return wall.replace(tzinfo=timezone(-away if sign == "-" else away))
    except (KeyError, ValueError, TypeError, IndexError):
        return wall
