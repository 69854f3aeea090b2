"""The reference of all operations, as `gradcli ops` and docs/operations.md show it."""
