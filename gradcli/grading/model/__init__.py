"""The task and the stages of a submission as small graphs."""
