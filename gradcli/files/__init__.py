"""Files of points and arrays, in and out: CSV, Parquet, NDJSON, npz, npy."""
