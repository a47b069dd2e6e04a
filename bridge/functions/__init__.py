"""Functions that a model may call: schemas, arguments, threads, results."""
