"""What flows between rooms, frozen and typed. Rooms meet in `__main__.py` through these; none imports another."""
