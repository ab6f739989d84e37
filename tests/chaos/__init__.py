"""`make chaos`: real services and processes, killed again and again while messages are due."""
