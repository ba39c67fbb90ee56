"""Warm kernels: forked, fresh, and the same as cold ones; nobody outlives who asked for it."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import nbformat
import pytest

from cmi_analysis.report import warm
from cmi_analysis.report.execute import COMPLETE, KernelDiedError, execute_report
from cmi_analysis.report.kernels import LocalKernelManager, WarmKernelManager
from cmi_analysis.report.warm import KernelLostError, Template, WarmProcess

T = TypeVar("T")

pytestmark = pytest.mark.skipif(not warm.can_fork(), reason="warm kernels need a process that can be forked (Linux)")
END = f"display({{'{COMPLETE}': {{}}, 'text/plain': 'end'}}, raw=True)"


@pytest.fixture(scope="module")
def template() -> Iterator[Template]:
    """Return a template that has imported everything."""
    os.environ["CMI_TEST_ONLY_TEMPLATE"] = "secret"
    try:
        started = Template({"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"})
    finally:
        del os.environ["CMI_TEST_ONLY_TEMPLATE"]
    try:
        started.check()
        yield started
    finally:
        started.close()


def run(folder: Path, template: str, *sources: str) -> list[list[Any]]:
    """Run the cells in a kernel and return the outputs of each."""
    folder.mkdir(exist_ok=True)
    cells = [nbformat.v4.new_code_cell(source) for source in (*sources, END)]
    metadata = {"kernelspec": {"name": "python3", "language": "python", "display_name": "Python 3"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), folder / "n.ipynb")
    book, _ = execute_report(
        folder / "n.ipynb", folder / "done.ipynb", params={}, slice_folder=folder, cell_seconds=60, template=template
    )
    return [cell.outputs for cell in book.cells[:-1]]


def printed(outputs: list[list[Any]]) -> str:
    """Return the text that the cells printed."""
    return "".join(output["text"] for cell in outputs for output in cell if output["output_type"] == "stream")


LEAVE = """
import builtins, os, random, sys, warnings
import matplotlib as mpl, numpy as np, pandas as pd
left = builtins.left = np.left = sys.left = 1
os.environ["CMI_LEFT"] = "1"
os.chdir("/")
os.umask(0o777)
pd.options.display.max_rows = 7
mpl.rcParams["lines.linewidth"] = 77
warnings.filterwarnings("ignore", message="left")
np.random.seed(7); random.seed(7); np.random.rand(); random.random()
from cmi_analysis.labels.catalogue import _catalogue
_catalogue()["left"] = {}
"""
LOOK = """
import builtins, os, sys, warnings
import matplotlib as mpl, numpy as np, pandas as pd
from cmi_analysis.labels.catalogue import _catalogue
os.umask(umask := os.umask(0o022))
print(hasattr(builtins, "left"), hasattr(np, "left"), hasattr(sys, "left"), "left" in globals(), "left" in _catalogue(),
      os.environ.get("CMI_LEFT"), os.environ.get("CMI_TEST_ONLY_TEMPLATE"), umask, pd.options.display.max_rows,
      mpl.rcParams["lines.linewidth"], "left" in str(warnings.filters))
print(os.getcwd(), os.environ["CMI_SLICE"], os.getpid() == os.getpgid(0))
"""


def test_no_state_passes_from_one_report_to_the_next(template: Template, tmp_path: Path) -> None:
    umask = os.umask(0o022)
    os.umask(umask)
    run(tmp_path / "first", template.socket, LEAVE)
    fresh, place = printed(run(tmp_path / "second", template.socket, LOOK)).splitlines()
    assert fresh == f"False False False False False None None {umask} 60 1.5 False"
    assert place == f"{tmp_path / 'second'} {tmp_path / 'second'} True"


def test_the_random_states_of_two_kernels_differ(template: Template, tmp_path: Path) -> None:
    draw = "import random, numpy as np\nprint(random.random(), np.random.rand(), sep='\\n')"
    first, second = (printed(run(tmp_path / name, template.socket, draw)).split() for name in ("a", "b"))
    assert len(first) == len(second) == 2
    assert not set(first) & set(second)


FIGURES = (
    "import matplotlib.pyplot as plt\nfigure = plt.figure(figsize=(2, 1)); plt.plot([1, 3, 2]);",
    "print('between')",
    "plt.figure(figsize=(1, 2)); plt.plot([3, 1, 2]); plt.title('two');",
    "import pandas as pd\npd.DataFrame({'a': [1, 2], 'b': ['x', 'y']})",
    "import sys, numpy as np\nprint('wrong', file=sys.stderr)\nnp.linalg.svd(np.arange(9.0).reshape(3, 3))[1]",
    "from IPython.display import display\nfrom matplotlib.figure import Figure\n"
    "f = Figure(figsize=(2, 2)); f.subplots().bar(['a', '客'], [1, 2]); display(f)",
    "import statsmodels.api as sm, numpy as np\nsm.OLS(np.arange(5.0), np.ones(5)).fit().params",
    "print(plt.get_backend(), sys.argv[0].rpartition('/')[2].removesuffix('.py'), __name__, '' in sys.path)",
)


def joined(outputs: list[Any]) -> list[Any]:
    """Return a cell's outputs with its printed pieces joined: a kernel cuts them where its clock ticks."""
    kept = [output for output in outputs if output["output_type"] != "stream"]
    texts = {"stdout": "", "stderr": ""}
    for output in outputs:
        if output["output_type"] == "stream":
            texts[output["name"]] += output["text"]
    return [*kept, texts]


def test_figures_appear_in_their_own_cells_and_outputs_are_those_of_a_fresh_interpreter(
    template: Template, tmp_path: Path
) -> None:
    forked = run(tmp_path, template.socket, *FIGURES)
    kinds = [["image/png" in output.get("data", {}) for output in cell] for cell in forked]
    assert [any(kind) for kind in kinds] == [True, False, True, False, False, True, False, False]
    assert [sum(kind) for kind in kinds] == [1, 0, 1, 0, 0, 1, 0, 0]
    plain = run(tmp_path, "", *FIGURES)
    for cell, (warm_outputs, cold_outputs) in enumerate(zip(forked, plain, strict=True)):
        assert joined(warm_outputs) == joined(cold_outputs), f"cell {cell}"


def test_a_kernel_that_ends_itself_is_a_lost_kernel_and_so_is_a_template_that_is_gone(template: Template, tmp_path: Path) -> None:
    with pytest.raises(KernelDiedError, match="that it died"):
        run(tmp_path, template.socket, "import os; os._exit(0)")
    with pytest.raises(KernelDiedError, match="template process is gone"):
        run(tmp_path, str(tmp_path / "nothing"), "1")


# a template without imports answers at once
LIGHT = "from cmi_analysis.report import template as t; import sys; t.MODULES = (); "


@pytest.fixture
def light(monkeypatch: pytest.MonkeyPatch) -> Iterator[Template]:
    """Return a template that imports nothing beforehand."""
    monkeypatch.setattr(warm, "COMMAND", ("-c", LIGHT + "t._canary = lambda: None; t.main(sys.argv[1:])"))
    started = Template()
    started.check()
    yield started
    started.close()


def gone(pid: int) -> bool:
    """Wait for a process to be gone; a zombie that nobody collects is gone too."""
    for _ in range(200):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


def ask(folder: Path, socket: str) -> WarmProcess:
    """Ask a template for an idle kernel on a connection file that does not exist yet."""
    argv = [warm.LAUNCHER, "-f", str(folder / "connection.json"), "--transport=ipc", f"--ip={folder / 'k'}"]
    return WarmProcess(socket, {"argv": argv, "env": dict(os.environ), "cwd": str(folder)})


def test_a_kernel_is_told_from_its_process_like_any_other(light: Template, tmp_path: Path) -> None:
    kernel = ask(tmp_path, light.socket)
    assert os.getpgid(kernel.pid) == kernel.pid != os.getpgid(0)
    assert kernel.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        kernel.wait(0.05)
    kernel.kill()
    assert kernel.wait(10) == kernel.poll() == -signal.SIGKILL
    kernel.kill()
    with pytest.raises(ProcessLookupError):
        os.kill(kernel.pid, 0)


def test_a_kernel_ends_with_the_process_that_asked_for_it(light: Template, tmp_path: Path) -> None:
    kernel = ask(tmp_path, light.socket)
    kernel.close()  # what the operating system does for a client that was killed
    assert gone(kernel.pid)


def sockets(pid: int) -> set[str]:
    """Return the sockets that a process holds."""
    names = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            names.add(str(entry.readlink()))
        except FileNotFoundError:
            continue
    return {name for name in names if name.startswith("socket:")}


def test_a_kernel_holds_no_socket_of_its_template(light: Template, tmp_path: Path) -> None:
    first, second = ask(tmp_path, light.socket), ask(tmp_path, light.socket)
    assert len(sockets(light.pid)) == 5  # the listener, the pair that wakes it, a connection a kernel
    for _ in range(200):
        if not sockets(light.pid) & (sockets(first.pid) | sockets(second.pid)):
            break
        time.sleep(0.05)
    else:
        pytest.fail("a kernel still holds a socket of its template")
    first.close()
    second.close()


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_kernels_end_with_their_template(end: int, light: Template, tmp_path: Path) -> None:
    kernel = ask(tmp_path, light.socket)
    os.kill(light.pid, end)
    assert gone(kernel.pid)
    assert kernel.wait(10) == -signal.SIGKILL
    with pytest.raises(KernelLostError, match="gone"):
        ask(tmp_path, light.socket)


PARENT = """
import os, sys, time
sys.path.insert(0, {here!r})
from pathlib import Path
from test_warm_parent import ask, warm
warm.COMMAND = ("-c", {light!r} + "t._canary = lambda: None; t.main(sys.argv[1:])")
template = warm.Template()
kernel = ask(Path({folder!r}), template.socket)
print(template.pid, kernel.pid, template.socket, flush=True)
time.sleep(60)
"""


def test_the_template_and_its_kernels_end_with_their_parent(tmp_path: Path) -> None:
    (tmp_path / "test_warm_parent.py").write_text(Path(__file__).read_text("utf-8"), "utf-8")
    source = PARENT.format(here=str(tmp_path), light=LIGHT, folder=str(tmp_path))
    parent = subprocess.Popen([sys.executable, "-c", source], stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    template, kernel, socket = parent.stdout.readline().split()
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert gone(int(kernel))
    assert gone(int(template))
    assert not Path(socket).parent.exists()


def test_the_template_s_folder_is_private(light: Template) -> None:
    assert Path(light.socket).parent.stat().st_mode & 0o777 == 0o700


async def answers(manager: Any, cwd: Path, sources: list[str]) -> list[str]:
    """Run sources in the manager's kernel, started in `cwd`, and return what they print; leave the kernel running."""
    await manager.start_kernel(cwd=str(cwd))
    client = manager.client()
    client.start_channels()
    await client.wait_for_ready(timeout=60)
    said: list[str] = []
    for source in sources:
        texts: list[str] = []
        await client.execute_interactive(
            source, timeout=60, output_hook=lambda m, texts=texts: texts.append(m["content"].get("text", ""))
        )
        said.append("".join(texts))
    client.stop_channels()
    return said


def in_a_thread(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine where no event loop runs: a browser test before in this process leaves its own running."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


def managers(template: str) -> tuple[Any, Any]:
    """Return two managers of warm kernels."""
    first, second = WarmKernelManager(kernel_name="python3"), WarmKernelManager(kernel_name="python3")
    first.template = second.template = template
    return first, second


def test_two_kernels_at_once_in_one_folder_do_not_share_their_sockets(template: Template, tmp_path: Path) -> None:
    first, second = managers(template.socket)

    async def both() -> list[list[str]]:
        try:
            mark = "import os; print(os.getpid())"
            return list(await asyncio.gather(*(answers(each, tmp_path, [mark] * 20) for each in (first, second))))
        finally:
            await asyncio.gather(first.shutdown_kernel(now=True), second.shutdown_kernel(now=True))

    said = in_a_thread(both())
    assert [len(set(each)) for each in said] == [1, 1]
    assert said[0] != said[1]
    assert not list(tmp_path.glob("kernel-ipc*"))
    assert Path(first.ip).parent != Path(second.ip).parent
    assert not Path(first.ip).parent.exists()


def test_socket_paths_stay_short_where_the_temporary_folder_s_path_is_long(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    long = tmp_path / ("x" * 120)
    long.mkdir()
    monkeypatch.setattr(warm.tempfile, "tempdir", str(long))
    manager = LocalKernelManager(kernel_name="python3")
    assert len(f"{manager.ip}-5".encode()) < 100
    assert Path(manager.ip).parent.stat().st_mode & 0o777 == 0o700
    manager.cleanup_ipc_files()
    assert not Path(manager.ip).parent.exists()


def test_an_interrupt_stops_the_cell_and_a_kill_what_the_cell_started(template: Template, tmp_path: Path) -> None:
    manager, _ = managers(template.socket)

    async def interrupt() -> tuple[str, int]:
        (begun,) = await answers(manager, tmp_path, ["import subprocess; p = subprocess.Popen(['sleep', '60']); print(p.pid)"])
        client = manager.client()
        client.start_channels()
        await client.wait_for_ready(timeout=60)
        message = client.execute("import time\nfor _ in range(600): time.sleep(0.1)")
        while (await client.get_iopub_msg(timeout=60))["msg_type"] != "execute_input":
            pass
        await manager.interrupt_kernel()
        while (reply := await client.get_shell_msg(timeout=60))["parent_header"].get("msg_id") != message:
            pass
        client.stop_channels()
        await manager.shutdown_kernel(now=True)
        return reply["content"]["ename"], int(begun)

    name, started = in_a_thread(interrupt())
    assert name == "KeyboardInterrupt"
    assert gone(started)


def test_the_kernelspec_gives_jupyter_a_warm_kernel(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, root: Path, light: Template
) -> None:
    import tomllib
    from importlib.metadata import EntryPoint

    from jupyter_client.manager import AsyncKernelManager
    from jupyter_client.provisioning.factory import KernelProvisionerFactory

    from cmi_analysis.report import provisioner

    about = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    group = KernelProvisionerFactory.GROUP_NAME
    entry = EntryPoint("cmi-warm", about["project"]["entry-points"][group]["cmi-warm"], group)
    monkeypatch.setitem(KernelProvisionerFactory.instance().provisioners, "cmi-warm", entry)
    (source,) = about["tool"]["hatch"]["build"]["targets"]["wheel"]["shared-data"]
    spec = tmp_path / "kernels" / "cmi-warm" / "kernel.json"
    spec.parent.mkdir(parents=True)
    spec.write_text((root / source).read_text("utf-8"), "utf-8")
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    monkeypatch.setattr(provisioner, "_shared", [light])

    async def parent(number: int) -> int:
        manager = AsyncKernelManager(kernel_name="cmi-warm", transport="ipc", ip=str(tmp_path / f"k{number}"))
        try:
            (said,) = await answers(manager, tmp_path, ["import os; print(os.getppid())"])
        finally:
            await manager.shutdown_kernel(now=False)
        return int(said)

    assert in_a_thread(parent(1)) == light.pid
    light.close()
    assert in_a_thread(parent(2)) == os.getpid()  # cold, because the template is gone
    monkeypatch.setattr(provisioner, "can_fork", lambda: False)
    monkeypatch.setattr(provisioner, "shared_template", lambda: pytest.fail("no template without fork"))
    assert in_a_thread(parent(3)) == os.getpid()
