"""Source texts, places in them, the one error type and how an error is drawn."""
