"""The engine: an installed `pulumi` with the official plugins, or one built here with stand-ins for the plugins."""
