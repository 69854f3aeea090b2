"""The commands, a module each, named like the command; they never import each other."""
