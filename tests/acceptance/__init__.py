"""The whole virtual rack, end to end: what a site's people would notice."""
