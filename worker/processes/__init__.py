"""The long-running parts, each a function that runs until it is told to stop."""
