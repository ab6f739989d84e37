"""The id of a row in what a page is sent: an address or a form may hold anything."""

# As many digits as surely fit into the database's numbers.
MOST_DIGITS = 18


def row_id(text: str) -> int:
    """The id that was sent; 0, which no row has, when it is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS else 0
