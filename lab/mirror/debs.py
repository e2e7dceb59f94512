"""Debian packages around programs, built with dpkg-deb: the same bytes for the same input."""

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from lab.processes import run

EPOCH: Final = 1767225600
"""Time stamp of everything that the mirror makes (2026-01-01), see https://reproducible-builds.org/specs/source-date-epoch/"""


@dataclass(frozen=True)
class DebianPackage:
    """A binary package, see deb-control(5)."""

    name: str
    version: str
    """With Debian revision, such as ``1.36.3-1.1``."""
    summary: str
    homepage: str
    depends: tuple[str, ...] = ()
    recommends: tuple[str, ...] = ()
    provides: tuple[str, ...] = ()
    """Virtual packages it stands for; it conflicts with and replaces other packages of these names."""
    programs: Mapping[str, Path] = field(default_factory=dict)
    """Executables by their path on the machine, from this computer."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Texts by their path on the machine. Those below ``/etc`` are configuration files in dpkg's sense."""
    unit: str | None = None
    """systemd unit that is enabled and started on installation."""

    @property
    def file_name(self) -> str:
        return f"{self.name}_{self.version}_amd64.deb"

    def control(self) -> str:
        """Return the text of the control file."""
        relations = {
            "Depends": self.depends,
            "Recommends": self.recommends,
            "Provides": self.provides,
            "Conflicts": self.provides,
            "Replaces": self.provides,
        }
        fields = {
            "Package": self.name,
            "Version": self.version,
            "Architecture": "amd64",
            "Maintainer": "henhouse lab mirror <root@localhost>",
            **{name: ", ".join(packages) for name, packages in relations.items() if packages},
            "Section": "net",
            "Priority": "optional",
            "Homepage": self.homepage,
            "Description": self.summary,
        }
        return "".join(f"{name}: {value}\n" for name, value in fields.items())

    def maintainer_scripts(self) -> dict[str, str]:
        """postinst and prerm, doing what dh_installsystemd(1) writes for a unit."""
        if self.unit is None:
            return {}
        unit = self.unit
        return {
            "postinst": _POSTINST.format(unit=unit),
            "prerm": _PRERM.format(unit=unit),
        }

    def build(self, directory: Path) -> Path:
        """Write the package into `directory`; return its path."""
        target = directory / self.file_name
        with tempfile.TemporaryDirectory(prefix=f"deb-{self.name}-", dir=directory) as temporary:
            root = Path(temporary)
            self._fill(root)
            run(["chmod", "--recursive", "u=rwX,go=rX", temporary])  # whatever the umask of this process is
            command = ["dpkg-deb", "--root-owner-group", "-Zzstd", "-z3", "--build", temporary, str(target)]
            run(["env", f"SOURCE_DATE_EPOCH={EPOCH}", *command])
        return target

    def _fill(self, root: Path) -> None:
        for path, program in self.programs.items():
            shutil.copyfile(program, _parents(root, path))
            (root / path.lstrip("/")).chmod(0o700)
        for path, text in self.files.items():
            _parents(root, path).write_text(text)
        for path, text in {"control": self.control(), **self.maintainer_scripts()}.items():
            file = _parents(root, f"DEBIAN/{path}")
            file.write_text(text)
            file.chmod(0o600 if path == "control" else 0o700)
        if kept := sorted(path for path in self.files if path.startswith("/etc/")):
            (root / "DEBIAN/conffiles").write_text("".join(f"{path}\n" for path in kept))


_POSTINST: Final = """\
#!/bin/sh
set -e
if [ "$1" = configure ]; then
    deb-systemd-helper unmask {unit} >/dev/null || true
    deb-systemd-helper enable {unit} >/dev/null || true
    if [ -d /run/systemd/system ]; then
        systemctl --system daemon-reload >/dev/null || true
        deb-systemd-invoke "$([ -n "$2" ] && echo restart || echo start)" {unit} >/dev/null || true
    fi
fi
"""
_PRERM: Final = """\
#!/bin/sh
set -e
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
    deb-systemd-invoke stop {unit} >/dev/null || true
fi
"""


def _parents(root: Path, path: str) -> Path:
    file = root / path.lstrip("/")
    file.parent.mkdir(parents=True, exist_ok=True)
    return file
