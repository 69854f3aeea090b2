"""The language: text and places, syntax trees, and the way from one to the other and back."""
