"""How numbers and dates are written, where the clinic differs from Django's own formats."""
