"""What a network is, and how derivatives travel through it: notation, operations, graph, rules, propagation, paths."""
