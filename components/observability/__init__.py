"""What looks at all of it, and tells of what is wrong."""
