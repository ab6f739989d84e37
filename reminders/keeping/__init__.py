"""How long what was said is kept, and what happens to it then."""
