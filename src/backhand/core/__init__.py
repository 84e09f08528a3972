"""What a network is, and how derivatives travel through it: notation, table of operations, graph, rules, propagation, paths."""
