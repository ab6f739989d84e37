"""Django's own engine for PostgreSQL, with one reader of the driver's in place of Django's."""
