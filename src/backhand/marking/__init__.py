"""From somebody's own working to a Marking: what was written, whether it is right, and which habit explains what is not."""
