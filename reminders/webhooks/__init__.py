"""What providers report to us, one module per provider. A report is believed by its signature or
secret alone; it is answered with a bare status, and nothing of it is logged."""
