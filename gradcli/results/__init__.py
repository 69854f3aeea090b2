"""The frozen results, and the batched passes that matrices share."""
