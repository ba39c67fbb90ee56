"""A demo book in which every customer and every confidential figure can be recognised wherever it turns up."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

AS_OF = "2026-06-28"
FRACTION = 0.00713  # what marks a confidential amount
SECRET_TEXT = {
    "customers": ("account_manager",),
    "products": ("supplier_id",),
    "suppliers": ("supplier_id", "supplier_name"),
    "supplier_products": ("supplier_id",),
    "purchase_orders": ("po_id", "supplier_id"),
    "receipts": ("receipt_id", "supplier_id"),
    "transfers": ("transfer_id",),
    "adjustments": ("author",),
}
SECRET_NUMBER = {
    "customers": ("priority", "deferrable_days"),
    "products": ("unit_cost",),
    "suppliers": ("capacity",),
    "supplier_products": ("unit_cost",),
    "receipts": ("unit_cost",),
    "deliveries": ("freight_cost",),
    "contracts": ("penalty",),
    "costs": ("value",),
    "warehouses": ("fixed_cost", "capacity"),
}
_CUSTOMER = re.compile(r"\bC(\d{4})\b")


def mark_customer(customer_id: str) -> str:
    """Return an id that nothing but this customer can have left."""
    return _CUSTOMER.sub(r"Zq\1Wx7k", customer_id)


def keep_few(folder: Path) -> None:
    """Leave each group of the demo three customers: what leaks does so for three as for ten, and the run is short."""
    customers = pd.read_csv(folder / "customers.csv", dtype=str, keep_default_na=False).drop_duplicates("customer_id")
    kept = set(customers.groupby("customer_group")["customer_id"].head(3))
    for path in sorted(folder.glob("*.csv")):
        first, *lines = path.read_text("utf-8").splitlines()
        few = [line for line in lines if {f"C{number}" for number in _CUSTOMER.findall(line)} <= kept]
        path.write_text("\n".join([first, *few]) + "\n", "utf-8")


def plant(folder: Path) -> None:
    """Rewrite the demo's CSV files: customer ids, names and confidential values become canaries."""
    for path in sorted(folder.glob("*.csv")):
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
        for column in frame:
            frame[column] = frame[column].map(mark_customer)
        for column in SECRET_TEXT.get(path.stem, ()):
            frame[column] = frame[column].mask(frame[column] != "", "SecretQx" + frame[column])
        for column in SECRET_NUMBER.get(path.stem, ()):
            known = pd.to_numeric(frame[column], errors="coerce")
            frame[column] = frame[column].mask(known.notna(), (known + FRACTION).round(5).astype(str))
        if path.stem == "customers":
            frame["customer_name"] = "NameOf" + frame["customer_id"]
        frame.to_csv(path, index=False)


def cmi(project: Path, *arguments: str) -> None:
    """Call the command line in a project; it must succeed."""
    command = [sys.executable, "-m", "cmi_analysis.cli", *arguments]
    done = subprocess.run(command, cwd=project, env=dict(os.environ), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="session")
def marked_project(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project whose demo data are marked, ingested."""
    from cmi_analysis.demo import write_demo

    folder = tmp_path_factory.mktemp("marked") / "project"
    for name in ("notebooks", "params"):
        shutil.copytree(root / name, folder / name)
    shutil.copy(root / "requirements.lock", folder)
    write_demo(folder / "data" / "demo", size="small", seed=1, dirty=False, formats="csv")
    keep_few(folder / "data" / "demo")
    plant(folder / "data" / "demo")
    cmi(folder, "ingest", "data/demo")
    return folder


@pytest.fixture(scope="session")
def render(marked_project: Path) -> Callable[..., Path]:
    """Return a function that renders groups of the marked book and returns the folder of their reports."""

    def run(*groups: str, out: str, audience: str) -> Path:
        chosen = [part for group in groups for part in ("--group", group)]
        cmi(marked_project, "report", "--as-of", AS_OF, *chosen, "--audience", audience, "--out", out)
        return marked_project / out / "latest"

    return run
