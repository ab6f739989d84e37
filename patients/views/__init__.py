"""Pages that add and change patients."""
