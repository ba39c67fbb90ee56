"""Keep environment.yml, requirements.lock and pyproject.toml in step.

--write     write environment.yml from pyproject.toml
--check     fail where environment.yml is not what pyproject.toml says, or a conda spec does not parse
--lock      write requirements.lock and tools/pandas3.txt with uv (hashes, no index address)
--versions  fail where the installed versions are not the locked ones, or statsforecast is an old release
"""

from __future__ import annotations

import argparse
import importlib.metadata
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CONDA_NAMES = {
    "matplotlib": "matplotlib-base",
    "great-tables": "great_tables",
    "pandera": "pandera-pandas",
    "xlsxwriter": "xlsxwriter",
}
HEADER = "# Generated from pyproject.toml by tools/environment.py --write; checked by `make test`.\n"


def project() -> dict:
    """Return the table `project` of pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def conda_specs() -> list[str]:
    """Return the run-time dependencies under conda-forge's names, Python first."""
    table = project()
    specs = [f"python {table['requires-python']}", "pip"]
    for line in table["dependencies"]:
        name, bounds = re.fullmatch(r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?(.*)", line.replace(" ", "")).groups()
        name = CONDA_NAMES.get(name.lower(), name.lower())
        specs.append(f"{name} {bounds}".strip())
    return specs


def environment_text() -> str:
    """Return environment.yml."""
    lines = "".join(f"  - {spec}\n" for spec in conda_specs())
    return (
        f"{HEADER}name: cmi_analysis\nchannels:\n  - conda-forge\n  - nodefaults\ndependencies:\n{lines}  - pip:\n      - -e .\n"
    )


def check_environment() -> list[str]:
    """Return what is wrong with environment.yml."""
    from rattler import MatchSpec

    wrong = []
    path = ROOT / "environment.yml"
    if not path.exists() or path.read_text("utf-8") != environment_text():
        wrong.append("environment.yml is not what pyproject.toml says: run `make environment`")
    for spec in conda_specs():
        try:
            MatchSpec(spec)
        except Exception as error:  # noqa: BLE001  whatever the parser raises is a spec conda would refuse
            wrong.append(f"conda would not read '{spec}': {error}")
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    if re.search(r"--(extra-)?index-url|--find-links", lock):
        wrong.append("requirements.lock holds the address of an index: run `make lock`")
    return wrong


def locked() -> dict[str, list[str]]:
    """Return name -> locked versions (one per Python where they differ)."""
    found: dict[str, list[str]] = {}
    for name, version in re.findall(
        r"^([a-z0-9._-]+)==([^\s;\\]+)", (ROOT / "requirements.lock").read_text("utf-8"), re.MULTILINE
    ):
        found.setdefault(name, []).append(version)
    return found


def check_versions() -> list[str]:
    """Return the installed versions that are not the locked ones."""
    wrong = []
    for name, versions in locked().items():
        try:
            installed = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # a marker for another platform or Python
        if installed not in versions:
            wrong.append(f"{name} is {installed}, the lock file says {' or '.join(versions)}")
    pandas = importlib.metadata.version("pandas").split(".")
    forecast = [int(part) for part in importlib.metadata.version("statsforecast").split(".")]
    if forecast < [2, 1, 1]:
        wrong.append("statsforecast is older than 2.1.1: pip fell back to it because of pandas")
    if pandas[0] != "2":
        wrong.append(f"pandas is {'.'.join(pandas)}; statsforecast needs pandas below 3")
    return wrong


def write_locks() -> None:
    """Write requirements.lock and tools/pandas3.txt."""
    shared = ["--generate-hashes", "--no-emit-index-url", "--no-header", "--universal", "--python-version", "3.11", "--quiet"]
    lock = ["uv", "pip", "compile", "pyproject.toml", "--extra", "dev", *shared, "-o", "requirements.lock"]
    subprocess.run(lock, cwd=ROOT, check=True)
    overlay = ["uv", "pip", "compile", "-", "--no-deps", *shared, "-o", "tools/pandas3.txt"]
    subprocess.run(overlay, cwd=ROOT, check=True, input="pandas>=3.1,<3.2\n", text=True)


def main() -> int:
    """Do what the flags say; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    for flag in ("write", "check", "lock", "versions"):
        parser.add_argument(f"--{flag}", action="store_true")
    asked = parser.parse_args()
    if asked.lock:
        write_locks()
    if asked.write:
        (ROOT / "environment.yml").write_text(environment_text(), "utf-8")
    wrong = (check_environment() if asked.check else []) + (check_versions() if asked.versions else [])
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
