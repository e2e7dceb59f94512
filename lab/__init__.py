"""The virtual rack: machines, mirror and engine for a computer without a rack. It knows nothing of the program."""
