"""The table: what an operation is goes in, as text and kernels; each module's `ROWS` come out."""
