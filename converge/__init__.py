"""The only way to change a machine: roles as data, one renderer, one resource, one probe."""
