"""From somebody's own working to a Marking: what was written, whether it is right, and the habit behind what is not."""
