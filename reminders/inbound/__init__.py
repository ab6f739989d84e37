"""What patients write back: read, matched with who they are, acted on, and shown to staff."""
