"""What libraries call functions and their arguments, and what these mean here."""
