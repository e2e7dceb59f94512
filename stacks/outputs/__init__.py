"""Stack outputs: small, plain where nothing is secret, and in a fixed order (docs/outputs.md). One file per output."""
