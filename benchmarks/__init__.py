"""Speed and memory, measured on the embedded services as ratios to floors of the same run."""
