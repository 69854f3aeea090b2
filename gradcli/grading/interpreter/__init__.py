"""A listing's steps interpreted at the task's point."""
