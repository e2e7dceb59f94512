"""The program `henhouse-zpool`, which runs on the machine with the disks. Python's standard library only."""
