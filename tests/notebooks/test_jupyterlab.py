"""Run All in JupyterLab: a real server, its kernel, every cell of the notebook as it stands in the repository."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import websocket

from cmi_analysis.report.execute import COMPLETE

NOTEBOOKS = ("segmentation", "forecasting", "inventory_policy", "performance_review")


class Lab:
    """A JupyterLab server on the loopback interface."""

    def __init__(self, url: str, token: str) -> None:
        self.url, self.token = url.rstrip("/"), token

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Call the server's REST interface."""
        data = json.dumps(body).encode() if body is not None else None
        headers = {"Authorization": f"token {self.token}", "Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, data=data, headers=headers, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def run_all(self, notebook: str) -> list[list[dict[str, Any]]]:
        """Open the notebook, run every code cell in a kernel of its own, and return the outputs cell by cell."""
        document = self.ask("GET", f"/api/contents/{notebook}.ipynb?content=1")["content"]
        session = {"path": f"{notebook}.ipynb", "name": "", "type": "notebook", "kernel": {"name": "python3"}}
        kernel = self.ask("POST", "/api/sessions", session)["kernel"]["id"]
        address = self.url.replace("http", "ws", 1) + f"/api/kernels/{kernel}/channels?token={self.token}"
        socket = websocket.create_connection(address, timeout=240)
        try:
            return [execute(socket, "".join(cell["source"])) for cell in document["cells"] if cell["cell_type"] == "code"]
        finally:
            socket.close()
            self.ask("DELETE", f"/api/kernels/{kernel}")


def execute(socket: websocket.WebSocket, source: str) -> list[dict[str, Any]]:
    """Run one cell and return its outputs; an error of the cell fails the test with its message."""
    name = uuid.uuid4().hex
    header = {"msg_id": name, "username": "test", "session": "test", "msg_type": "execute_request", "version": "5.3"}
    content = {"code": source, "silent": False, "store_history": True, "allow_stdin": False, "stop_on_error": True}
    message = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell", "buffers": []}
    socket.send(json.dumps(message))
    outputs: list[dict[str, Any]] = []
    while True:
        answer = json.loads(socket.recv())
        if answer.get("parent_header", {}).get("msg_id") != name:
            continue
        kind = answer["msg_type"]
        assert kind != "error", f"{answer['content'].get('ename')}: {answer['content'].get('evalue')}"
        if kind in ("display_data", "execute_result"):
            outputs.append(answer["content"]["data"])
        if kind == "status" and answer["content"]["execution_state"] == "idle":
            return outputs


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, demo_project: Path) -> Iterator[Lab]:
    """Start JupyterLab in a copy of the project with demo data; stop it afterwards."""
    runtime = tmp_path_factory.mktemp("jupyter")
    env = os.environ | {
        "JUPYTER_RUNTIME_DIR": str(runtime),
        "IPYTHONDIR": str(runtime / "ipython"),
        "JUPYTER_CONFIG_DIR": str(runtime / "config"),
    }
    env.pop("CMI_PROJECT", None)
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        "--no-browser",
        "--allow-root",
        "--ip=127.0.0.1",
        "--port=0",
        "--ServerApp.port_retries=50",
    ]
    command += [f"--ServerApp.root_dir={demo_project / 'notebooks'}"]
    with (runtime / "log").open("w") as log:
        server = subprocess.Popen(command, env=env, stdout=log, stderr=subprocess.STDOUT)
    try:
        for _ in range(240):
            found = sorted(runtime.glob("jpserver-*.json"))
            if found:
                about = json.loads(found[0].read_text())
                break
            assert server.poll() is None, (runtime / "log").read_text()
            time.sleep(0.25)
        else:
            pytest.fail((runtime / "log").read_text())
        yield Lab(about["url"], about["token"])
    finally:
        server.terminate()
        server.wait(timeout=30)


@pytest.mark.slow
@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_every_notebook_runs_to_its_end_in_jupyterlab_on_its_defaults(notebook: str, lab: Lab) -> None:
    outputs = lab.run_all(notebook)
    assert [data[COMPLETE]["notebook"] for data in outputs[-1] if COMPLETE in data] == [notebook]
    assert any("image/png" in data for cell in outputs for data in cell)
