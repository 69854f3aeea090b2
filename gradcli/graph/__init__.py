"""Names resolved, arguments arranged, trees lowered, the graph of operations."""
