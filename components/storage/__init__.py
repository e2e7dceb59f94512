"""People's data: the pool that keeps it, and the file server that hands it out."""
