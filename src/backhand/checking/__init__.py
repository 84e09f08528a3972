"""Holding somebody's own backward function against the network it is for: which quantity differs first, and why."""
