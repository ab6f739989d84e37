"""Pages of the whole record: its life, merging it, handing it out, erasing it."""
