"""Plugins for the virtual rack that do the work of the official ones, which cannot be had without the vendor's site.

They speak the engine's plugin protocol, say in whatever they print that they are the lab's, and refuse to change
a stack that is not marked as a lab (`engine.standins.mark`). The behaviour is the official plugins'.
"""
