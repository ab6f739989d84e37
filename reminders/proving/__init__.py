"""Proving that the ledger and the diary are what they promise to be. Reads only."""
