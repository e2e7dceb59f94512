"""The one way a machine is changed: roles as data, one renderer, one resource, one probe."""
