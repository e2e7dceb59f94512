"""The pool: a ZFS pool that is imported where it exists, and created on blank disks only."""
