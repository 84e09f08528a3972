"""From a Graph to a Solution: all values and derivatives, the steps that lead there, and a second method."""
