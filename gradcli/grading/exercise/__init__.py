"""The exercise itself: lint, own points, a class."""
