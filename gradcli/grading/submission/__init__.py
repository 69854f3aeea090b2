"""What is handed in, read: listings, notebooks, tables, answer sheets."""
