"""Files that a role wrote for what a site has no more, where no `Absent` can name them."""

from converge.items import Script


def none_left(name: str, shell: str, function: str) -> Script:
    """Return the item by which no file is there that `function` names, one a line; `shell` defines it.

    It has to know henhouse's own files from an administrator's. Directories stay.
    """
    return Script(
        name,
        check=f"{shell}\nfound=$({function})\necho \"${{found//$'\\n'/, }}\"\n[[ -z $found ]]",
        apply=f'{shell}\n{function} | while read -r path; do rm --force -- "$path"; done',
    )
