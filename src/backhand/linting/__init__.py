"""Course notes held against the networks they work out: every line that is false, with its place."""
