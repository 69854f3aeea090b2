"""What to write instead: the messages for text that is no program."""
