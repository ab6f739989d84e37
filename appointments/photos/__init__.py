"""Photos: taken, sent, looked at beside each other, and removed."""
