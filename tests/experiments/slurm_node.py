"""A real SLURM of one node on loopback, for tests: it needs root, and Debian's slurm-wlm and munge."""

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

MISSING = [name for name in ("sbatch", "slurmctld", "slurmd", "munged") if not shutil.which(name)]

CONFIG = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmctldPort={controller}
SlurmdPort={daemon}
AuthType=auth/munge
AuthInfo=socket={root}/munge.socket
CredType=cred/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
ReturnToService=2
MailProg=/bin/true
KillWait=5
SchedulerParameters=sched_min_interval=0
StateSaveLocation={root}/state
SlurmdSpoolDir={root}/spool
SlurmctldPidFile={root}/slurmctld.pid
SlurmdPidFile={root}/slurmd.pid
SlurmctldLogFile={root}/slurmctld.log
SlurmdLogFile={root}/slurmd.log
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 RealMemory=8000 State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP
PartitionName=spare Nodes={host} State=UP
"""


class SlurmNode:
    """The three daemons, from `start` to `stop`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.daemons: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        for name in ("state", "spool"):
            (self.root / name).mkdir()
        key = self.root / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o400)
        host = socket.gethostname().partition(".")[0]
        self.config = self.root / "slurm.conf"
        self.config.write_text(
            CONFIG.format(host=host, root=self.root, controller=free_port(), daemon=free_port())
        )
        os.environ["SLURM_CONF"] = str(self.config)
        munge = [
            f"--{name}={self.root}/munge.{name}" for name in ("socket", "pid-file", "log-file", "seed-file")
        ]
        self.run("munged", "--foreground", "--force", f"--key-file={key}", *munge)
        wait_for(lambda: (self.root / "munge.socket").exists(), 20)
        self.run("slurmctld", "-D", "-c", "-f", str(self.config))
        self.run("slurmd", "-D", "-c", "-f", str(self.config), "-N", host)
        wait_for(lambda: "idle" in ask("sinfo", "-h", "-p", "main", "-o", "%T"), 60)

    def run(self, *command: str) -> None:
        with open(self.root / f"{command[0]}.out", "wb") as output:
            self.daemons.append(subprocess.Popen(command, stdout=output, stderr=output))

    def stop(self) -> None:
        subprocess.run(["scancel", "--user", "root", "--signal", "KILL"], capture_output=True, check=False)
        for daemon in reversed(self.daemons):
            daemon.terminate()
        for daemon in self.daemons:
            try:
                daemon.wait(20)
            except subprocess.TimeoutExpired:
                daemon.kill()
        os.environ.pop("SLURM_CONF", None)


def ask(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def wait_for(condition, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.2)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
