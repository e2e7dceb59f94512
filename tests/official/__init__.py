"""A machine without `mirrors`, and a second set-up that answers for the official hosts."""
