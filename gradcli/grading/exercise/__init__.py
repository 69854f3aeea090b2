"""The exercise itself: lint, own points, a class, a notebook of answers."""
