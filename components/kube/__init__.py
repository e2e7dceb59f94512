"""What the pods of every room are made of: arguments only; nothing here registers a resource."""
