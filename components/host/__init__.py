"""The one way a machine is changed: roles as data, one renderer, one component that applies them."""
