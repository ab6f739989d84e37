"""The log that a form holds."""

from __future__ import annotations

import re
from typing import Any

from django.http import QueryDict

from appointments.charting.log import Log, log_of

_PRODUCT = re.compile(r"product\.(\d{1,3})\.(name|amount|lot|expires_on)")


def read(data: QueryDict) -> Log:
    """The log that a form holds. Values of zones that are not ticked are left out."""
    kinds = ("session", "zones", "regions", "reasons", "cartridge")
    document: dict[str, Any] = {kind: {} for kind in kinds}
    for area in data.getlist("treated"):
        document["zones"][area] = {}
    products: dict[int, dict[str, str]] = {}
    for name in data:
        value, parts = str(data[name]), name.split(".")
        if parts[0] in ("session", "cartridge") and len(parts) == 2:
            document[parts[0]][parts[1]] = value
        elif parts[0] == "zones" and len(parts) == 3 and parts[1] in document["zones"]:
            document["zones"][parts[1]][parts[2]] = value
        elif parts[0] == "regions" and len(parts) == 3:
            document["regions"].setdefault(parts[1], {})[parts[2]] = value
        elif parts[0] == "reasons":
            document["reasons"][".".join(parts[1:])] = value
        elif match := _PRODUCT.fullmatch(name):
            products.setdefault(int(match[1]), {})[match[2]] = value
    document["products"] = [products[number] for number in sorted(products)]
    document["note"] = data.get("note", "")
    return log_of(document)
