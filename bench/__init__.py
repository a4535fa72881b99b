"""Speed, measured on this machine: against the floor and against the alternatives, as ratios in one run."""
