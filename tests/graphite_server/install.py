"""Makes the environment of the real Graphite: `python install.py .venv-graphite`."""

import os
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent


def install(environment: Path) -> None:
    """Create the environment and install requirements.txt; raises CalledProcessError when pip fails."""
    venv.create(environment, with_pip=True)
    pip = [environment / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
    requirements = (HERE / "requirements.txt").read_text().splitlines()
    setuptools = [line.partition("#")[0] for line in requirements if line.startswith("setuptools")]
    subprocess.run([*pip, *setuptools], check=True)
    # graphite-web comes as source, and its setup.py needs sitecustomize.py from Python 3.12 on. pip's isolated builds
    # would not see it; and the older way of building without isolation is deprecated.
    subprocess.run(
        [*pip, "--no-build-isolation", "--use-pep517", "--requirement", HERE / "requirements.txt"],
        env={**os.environ, "PYTHONPATH": str(HERE)},
        check=True,
    )


if __name__ == "__main__":
    try:
        install(Path(sys.argv[1]))
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)
