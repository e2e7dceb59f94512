"""Names of images; shipped to the hub. It imports none of the hub's other files: the program uses it, too."""


def canonical(image: str) -> str:
    """Return the name under which a node lists an image: HOST/PATH@DIGEST, or HOST/PATH:TAG without a digest."""
    name, _, digest = image.partition("@")
    if not digest:
        return name
    path, colon, tag = name.rpartition(":")
    return f"{path if colon and '/' not in tag else name}@{digest}"
