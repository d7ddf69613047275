"""A module file of this installation, for Lmod and Environment Modules."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from bsoid_gpu._version import __version__
from bsoid_gpu.errors import BadInput
from bsoid_gpu.files import explained, write_atomic
from bsoid_gpu.hpc.job import absolute
from bsoid_gpu.log import logger

TEXT = """#%Module1.0
## bsoid-gpu {version}
proc ModulesHelp {{ }} {{
    puts stderr "Discovers what freely moving animals do, from pose tracks: bsoid-gpu --help"
    puts stderr "BSOID_HOME: the installation; BSOID_BIN: its programs; BSOID_SRC: its source"
    puts stderr "BSOID_DATA: sample recordings, for example: bsoid-gpu build \\$BSOID_DATA --fps 60 --out run1"
}}
module-whatis "bsoid-gpu {version}: discovers what freely moving animals do, from pose tracks"
conflict [lindex [split [module-info name] /] 0]
setenv BSOID_HOME {home}
setenv BSOID_BIN {bin}
setenv BSOID_SRC {src}
setenv BSOID_DATA {data}
prepend-path PATH {bin}
"""


def write_module(path: str, data: str | None) -> None:
    """Write the module file, and sample recordings if a folder for them is given and contains none.

    Raises
    ------
    BadInput
        A folder that cannot be in PATH, or a file that cannot be written.
    """
    from bsoid_gpu.synthetic.sessions import simulate

    samples = absolute(data) if data else Path(sys.prefix, "share", "bsoid-gpu", "data")
    folders = {
        "home": Path(sys.prefix),
        "bin": Path(sys.executable).parent,
        "src": Path(__file__).parents[1],
        "data": samples,
    }
    for folder in folders.values():
        if re.search(r"[:\n\r]", str(folder)):
            msg = f"{str(folder)!r} has a ':' or a line break, which PATH cannot have: choose another folder"
            raise BadInput(msg)
    if data and not any(samples.glob("*.csv")):
        simulate(samples)
    elif not samples.is_dir():
        logger.info("no sample recordings at %r: --data FOLDER writes some", str(samples))
    file = absolute(path)
    with explained(file.parent):
        file.parent.mkdir(parents=True, exist_ok=True)
    filled = TEXT.format(version=__version__, **{name: _tcl(str(folder)) for name, folder in folders.items()})
    write_atomic(file, filled.encode())


def _tcl(word: str) -> str:
    """A word quoted for Tcl."""
    return '"' + re.sub(r'([\\"$\[\]{}])', r"\\\1", word) + '"'
