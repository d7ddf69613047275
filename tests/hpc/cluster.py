"""A private Slurm on this machine: its own keys, ports and folder, two nodes, and cards that are only pretended."""

from __future__ import annotations

import getpass
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

BIN = Path(sys.executable).parent
NODES = ("node1", "node2")
CPUS, MEMORY_MB, CARDS, SCRATCH_GB = 16, 32000, 2, 800  # of a node, pretended
OVER = {"COMPLETED", "FAILED", "TIMEOUT", "CANCELLED", "NODE_FAIL", "OUT_OF_MEMORY", "PREEMPTED"}
DAEMONS = ("munged", "slurmctld", "slurmd")

CONF = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={base}/munge/socket,cred_expire=5
StateSaveLocation={base}/state
SlurmdSpoolDir={base}/spool/%n
SlurmctldPidFile={base}/slurmctld.pid
SlurmdPidFile={base}/slurmd.%n.pid
SlurmctldLogFile={base}/slurmctld.log
SlurmdLogFile={base}/slurmd.%n.log
# neither systemd nor control groups are needed
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MailProg=/bin/true
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SlurmdParameters=config_overrides
GresTypes=gpu,lscratch
ReturnToService=2
JobRequeue=1
KillWait=5
MinJobAge=3600
CompleteWait=0
SlurmctldTimeout=30
SlurmdTimeout=60
SchedulerParameters=bf_interval=1,sched_interval=1,batch_sched_delay=0
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
"""
NODE = "NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs={cpus} RealMemory={memory} {gres}\n"
PARTITION = "PartitionName={} Nodes={} Default={} DefaultTime=10 MaxTime=1-00:00:00 State=UP\n"


class Cluster:
    """Starts with :meth:`start`, ends with :meth:`stop`; all that it leaves is in its folder."""

    def __init__(self, base: Path):
        self.base = base
        self.scratch = base / "scratch"  # shared by the jobs here
        self.home = base / "home"  # of the jobs; nothing should be written there
        self.env = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("SLURM_", "SBATCH_"))},
            "SLURM_CONF": str(base / "slurm.conf"),
            "BSOID_SCRATCH": str(self.scratch),
            "HOME": str(self.home),
        }

    def start(self) -> None:
        for folder in ("state", "spool", "munge", "scratch", "home", "cards"):
            (self.base / folder).mkdir(mode=0o755)
        for node in NODES:
            (self.base / "spool" / node).mkdir()
        self._write_configuration()
        munge = self.base / "munge"
        key = munge / "key"
        key.touch(mode=0o600)
        key.write_bytes(secrets.token_bytes(1024))
        self._daemon(
            "munged",
            f"--key-file={key}",
            f"--socket={munge}/socket",
            f"--pid-file={munge}/pid",
            f"--log-file={munge}/log",
            f"--seed-file={munge}/seed",
        )
        self._daemon("slurmctld", "-c", "-i")
        for node in NODES:
            self._daemon("slurmd", "-c", "-N", node)
        self._until(
            lambda: self.run("sinfo", "-h", "-N", "-p", "norm", "-t", "idle", "-o", "%N").count("node") == 2, 60
        )

    def stop(self) -> None:
        """End what was started, by the numbers that the daemons wrote."""
        if (self.base / "slurmctld.pid").exists():
            subprocess.run(["scancel", f"--user={getpass.getuser()}"], env=self.env, timeout=20, check=False)
            time.sleep(1)
        files = [*self.base.glob("slurmd.*.pid"), self.base / "slurmctld.pid", self.base / "munge" / "pid"]
        for pid in [int(file.read_text()) for file in files if file.exists()]:
            for signal in (15, 9):
                try:
                    os.kill(pid, signal)
                    self._until(lambda pid=pid: _over(pid), 10)
                except (ProcessLookupError, TimeoutError):
                    continue

    def run(self, *command: object, cwd: Path | None = None, check: bool = True) -> str:
        """What a command says, with the clients of this cluster."""
        done = subprocess.run(
            list(map(str, command)), env=self.env, cwd=cwd or self.base, capture_output=True, text=True, timeout=60
        )
        assert not check or done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout.strip()

    def submit(self, *arguments: object, cwd: Path | None = None) -> str:
        """Number of the job that ``sbatch`` makes of its arguments."""
        return self.run("sbatch", "--parsable", *arguments, cwd=cwd).partition(";")[0]

    def field(self, job: str, name: str) -> str:
        """A field of ``scontrol show job``; of an array, that of one of its tasks."""
        found = re.search(rf"\b{name}=(\S*)", self.run("scontrol", "show", "job", "--oneliner", job))
        return found.group(1) if found else ""

    def state(self, job: str) -> str:
        """State of a job; of an array that of each task, where they differ, in order of the alphabet."""
        states = set(re.findall(r"\bJobState=(\w+)", self.run("scontrol", "show", "job", "--oneliner", job)))
        return " ".join(sorted(states))

    def wait(self, job: str, timeout_s: float = 120, states: set[str] | None = None) -> str:
        """State of a job, and all tasks of an array, once it is over or in one of ``states``."""
        wanted = states or OVER
        self._until(lambda: set(self.state(job).split()) <= wanted, timeout_s)
        return self.state(job)

    def fail(self, node: str, job: str) -> None:
        """A node that is gone with all that ran on it."""
        pids = re.findall(r"^\s*(\d+)\s", self.run("scontrol", "listpids", job, node, check=False), re.MULTILINE)
        for pid in [(self.base / f"slurmd.{node}.pid").read_text(), *self._steps(job), *pids]:
            try:
                os.kill(int(pid), 9)
            except ProcessLookupError:
                continue
        self.run("scontrol", "update", f"NodeName={node}", "State=DOWN", "Reason=test")

    def mend(self, node: str) -> None:
        """The node comes back."""
        self._daemon("slurmd", "-c", "-N", node)
        self.run("scontrol", "update", f"NodeName={node}", "State=RESUME", check=False)
        self._until(lambda: "idle" in self.run("sinfo", "-h", "-n", node, "-o", "%T"), 60)

    def in_home(self) -> list[Path]:
        """Files that jobs left in the home folder, without the configuration that Dask writes there by itself."""
        found = [path for path in self.home.rglob("*") if path.is_file()]
        return [path for path in found if not path.is_relative_to(self.home / ".config" / "dask")]

    def logs(self) -> str:
        """What the daemons said last."""
        return "\n".join(
            f"{log}:\n{log.read_text()[-3000:]}" for log in sorted(self.base.rglob("*log")) if log.is_file()
        )

    def _steps(self, job: str) -> list[str]:
        """Processes of a job of this cluster, and Slurm's own that watch them: their environment names both."""
        wanted = {f"SLURM_CONF={self.env['SLURM_CONF']}".encode(), f"SLURM_JOB_ID={job}".encode()}
        found = []
        for place in Path("/proc").glob("[0-9]*"):
            try:
                environment, command = (place / "environ").read_bytes(), (place / "cmdline").read_bytes()
            except OSError:
                continue
            if wanted <= set(environment.split(b"\0")) or (b"slurmstepd" in command and f"[{job}.".encode() in command):
                found.append(place.name)
        return found

    def _write_configuration(self) -> None:
        ports = _free_ports(1 + len(NODES))
        host = socket.gethostname().partition(".")[0]
        conf = CONF.format(host=host, port=ports[0], user=getpass.getuser(), base=self.base)
        gres = ""
        for number in range(CARDS):
            (self.base / "cards" / f"card{number}").symlink_to("/dev/null")  # Slurm wants a device
        for name, port in zip(NODES, ports[1:], strict=True):
            has = f"Gres=gpu:p100:{CARDS},lscratch:{SCRATCH_GB} State=UNKNOWN"
            conf += NODE.format(name=name, host=host, port=port, cpus=CPUS, memory=MEMORY_MB, gres=has)
            gres += f"NodeName={name} Name=gpu Type=p100 File={self.base}/cards/card[0-{CARDS - 1}]\n"
            gres += f"NodeName={name} Name=lscratch Count={SCRATCH_GB} Flags=CountOnly\n"
        conf += "".join(
            PARTITION.format(name, ",".join(NODES), "YES" if name == "norm" else "NO") for name in ("norm", "gpu")
        )
        (self.base / "slurm.conf").write_text(conf)
        (self.base / "gres.conf").write_text(gres)

    def _daemon(self, name: str, *options: str) -> None:
        program = shutil.which(name, path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin") or name
        done = subprocess.run(  # its children keep no pipe open
            [program, *options],
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        assert done.returncode == 0, f"{name} does not start\n{self.logs()}"

    def _until(self, true, timeout_s: float) -> None:
        over = time.monotonic() + timeout_s
        while not true():
            if time.monotonic() > over:
                msg = f"not within {timeout_s} s\n{self.logs()}"
                raise TimeoutError(msg)
            time.sleep(0.3)


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def _over(pid: int) -> bool:
    """Whether a process has ended, reaped or not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True
