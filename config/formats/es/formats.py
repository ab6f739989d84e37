"""Spanish as clinics in the United States and Mexico write it: a decimal point, as on the devices.

A comma would turn a fluence that was read off a display into another number.
"""

DECIMAL_SEPARATOR = "."
THOUSAND_SEPARATOR = ","
