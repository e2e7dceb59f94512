"""Names of images; shipped to the hub. It imports none of the hub's other files: the program uses it, too."""

DOCKER_HUB = "docker.io/"
FORMERLY = "index.docker.io/"
"""What Docker Hub was called before; nodes list its images with the name of now."""


def canonical(image: str) -> str:
    """Return the name under which a node lists an image: HOST/PATH@DIGEST, or HOST/PATH:TAG without a digest."""
    tagged, digest = _parts(image)
    return f"{repository_of(image)}@{digest}" if digest else tagged


def names_of(image: str) -> set[str]:
    """Return the names that an image as it is written has: by its tag and by its digest, where it has both."""
    return {_parts(image)[0], canonical(image)}


def repository_of(image: str) -> str:
    """Return HOST/PATH."""
    tagged, _ = _parts(image)
    path, colon, tag = tagged.rpartition(":")
    return path if colon and "/" not in tag else tagged


def _parts(image: str) -> tuple[str, str]:
    """Return what stands before the digest, and the digest; Docker Hub's own images are in `library` there
    (https://pkg.go.dev/github.com/distribution/reference)."""
    name, _, digest = image.partition("@")
    if name.startswith(FORMERLY):
        name = f"{DOCKER_HUB}{name.removeprefix(FORMERLY)}"
    if name.startswith(DOCKER_HUB) and name.count("/") == 1:
        name = f"{DOCKER_HUB}library/{name.removeprefix(DOCKER_HUB)}"
    return name, digest
