"""Bringing a former system's data over: read, map, check, then write, in batches and idempotent."""
