import getpass
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

# small tensors: a second thread costs more than it saves, and several processes run side by side
os.environ.setdefault("OMP_NUM_THREADS", "1")

# PyTorch finds compiled code again by what it computes; code for other instructions than ATEN_CPU_CAPABILITY asks for
# would read past its buffers
instructions = os.environ.get("ATEN_CPU_CAPABILITY", "native")
cache = os.path.join(tempfile.gettempdir(), f"modgrok_tests_{getpass.getuser()}_{instructions}")
os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", cache)


def pytest_runtest_setup(item):
    from modgrok.training.engine_choice import cpp_compiler

    if item.get_closest_marker("compiler") and cpp_compiler() is None:
        pytest.skip("needs a C++ compiler")


@pytest.fixture(autouse=True)
def signals_are_left_alone():
    """A run gives the signals that it listens to back, however it ends."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    assert {number: signal.getsignal(number) for number in before} == before


@pytest.fixture(scope="session")
def reference():
    """Return the path of a published file, which lies beside the checkout or where MODGROK_REFERENCE says."""
    beside = Path(__file__).parents[1].parent / "shared" / "reference"
    folder = Path(os.environ.get("MODGROK_REFERENCE", beside))

    def find(name):
        if not (folder / name).exists():
            pytest.skip(f"the published file is not at {folder / name}")
        return folder / name

    return find


@pytest.fixture
def modgrok(tmp_path):
    """Run the command line as a user does: a process of its own, in an empty directory."""

    def run(*args, **kwargs):
        return subprocess.run(
            [sys.executable, "-m", "modgrok", *map(str, args)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            **kwargs,
        )

    return run


@pytest.fixture
def refused(tmp_path, monkeypatch, capsys):
    """Run `modgrok` with wrong input in an empty directory; it writes nothing; return the line or two it said."""
    from modgrok.cli import main

    monkeypatch.chdir(tmp_path)

    def run(*args):
        before = sorted(tmp_path.rglob("*"))
        with pytest.raises(SystemExit) as stopped:
            main([str(arg) for arg in args])
        said = capsys.readouterr().err
        assert stopped.value.code == 2
        assert said.startswith("modgrok: error: ")
        assert said.count("\n") <= 2
        assert len(said) < 700
        assert "Traceback" not in said
        assert sorted(tmp_path.rglob("*")) == before
        return said

    return run


@pytest.fixture(scope="session")
def small_run(tmp_path_factory):
    """A finished run of x + y mod 11, through the command line in this process."""
    from modgrok.cli import main

    root = tmp_path_factory.mktemp("small")
    main(
        [
            *("fit", "--data.task", "x + y", "--data.modulus", "11", "--data.train_fraction", "0.5"),
            *("--model.network.d_model", "32", "--model.network.d_mlp", "64", "--model.engine", "eager"),
            *("--model.evaluate_every", "20", "--model.threshold", "0.05", "--trainer.max_steps", "90"),
            *("--trainer.log_every_n_steps", "10", "--checkpoint.every", "40"),
            *("--trainer.default_root_dir", str(root)),
        ]
    )
    return root / "lightning_logs" / "version_0"


@pytest.fixture(scope="module")
def chromium():
    """The system's Chromium."""
    sync_api = pytest.importorskip("playwright.sync_api")
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("no chromium: apt-get install chromium")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture
def show(chromium):
    """Open files in the browser, offline; what a page requests and complains of is in its `requests` and `problems`."""
    contexts = []

    def open_page(file, width=1280, scheme="light", address=""):
        viewport = {"width": width, "height": 900}
        contexts.append(chromium.new_context(offline=True, viewport=viewport, color_scheme=scheme))
        page = contexts[-1].new_page()
        page.requests, page.problems = [], []
        page.on("request", lambda request: page.requests.append(request.url))
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        page.on(
            "console",
            lambda said: page.problems.append(said.text) if said.type in ("error", "warning") else None,
        )
        page.goto(file.absolute().as_uri() + address)
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def pictures(tmp_path):
    """A folder for screenshots: the one that MODGROK_PICTURES names, to be looked at later, or a temporary one."""
    folder = Path(os.environ.get("MODGROK_PICTURES", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def axe():
    """The script of axe-core, which looks for what keeps people out of a page."""
    file = Path(__file__).parents[1] / "web" / "node_modules" / "axe-core" / "axe.min.js"
    if not file.exists():
        pytest.skip("no axe-core: npm ci in web/")
    return file.read_text(encoding="utf-8")
