"""`modgrok` in processes forked from one that has imported everything, which takes longer than a small run."""

import multiprocessing
import os
import tempfile
from pathlib import Path

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["modgrok.cli", "modgrok.experiments.assembly.run", "modgrok.callbacks"])


class Forked:
    """A command in a directory; what it prints is kept."""

    def __init__(self, directory, *arguments):
        self.kept = tempfile.TemporaryDirectory()
        self.printed = [Path(self.kept.name, name) for name in ("output", "errors")]
        self.process = FORKS.Process(target=_run, args=(directory, arguments, self.printed, dict(os.environ)))
        self.process.start()
        self.kill, self.pid = self.process.kill, self.process.pid

    def poll(self):
        return self.process.exitcode

    def wait(self):
        self.process.join()
        return self.poll()

    def send_signal(self, number):
        os.kill(self.pid, number)

    def communicate(self):
        """Wait for its end; return what it printed, output and errors."""
        self.wait()
        return [file.read_text() for file in self.printed]

    @property
    def returncode(self):
        return self.poll()


def _run(directory, arguments, printed, environment):
    from modgrok.cli import main

    os.environ.update(environment)
    os.chdir(directory)
    for stream, file in enumerate(printed, start=1):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT), stream)
    main(list(arguments))
