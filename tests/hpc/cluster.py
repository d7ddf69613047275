"""A private Slurm on this machine with its own keys, ports and folder, two nodes, and simulated GPUs."""

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
CPUS, MEMORY_MB, CARDS, SCRATCH_GB = 16, 32000, 2, 800  # of a simulated node
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
    """Starts with :meth:`start` and ends with :meth:`stop`; all its files are in its folder."""

    def __init__(self, base: Path):
        self.base = base
        self.scratch = base / "scratch"  # shared by all jobs
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
        """End the daemons, by the process ids that they wrote."""
        if (self.base / "slurmctld.pid").exists():
            subprocess.run(["scancel", f"--user={getpass.getuser()}"], env=self.env, timeout=20, check=False)
            time.sleep(1)
        files = [*self.base.glob("slurmd.*.pid"), self.base / "slurmctld.pid", self.base / "munge" / "pid"]
        for pid in [int(file.read_text()) for file in files if file.exists()]:
            for signal in (15, 9):
                try:
                    os.kill(pid, signal)
                    self._until(lambda pid=pid: _ended(pid), 10)
                except (ProcessLookupError, TimeoutError):
                    continue

    def run(self, *command: object, cwd: Path | None = None, check: bool = True) -> str:
        """Output of a command, with the clients of this cluster."""
        done = subprocess.run(
            list(map(str, command)), env=self.env, cwd=cwd or self.base, capture_output=True, text=True, timeout=60
        )
        assert not check or done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout.strip()

    def submit(self, *arguments: object, cwd: Path | None = None) -> str:
        """Number of the job that ``sbatch`` submits."""
        return self.run("sbatch", "--parsable", *arguments, cwd=cwd).partition(";")[0]

    def field(self, job: str, name: str) -> str:
        """A field of ``scontrol show job``; for an array, of one of its tasks."""
        match = re.search(rf"\b{name}=(\S*)", self.run("scontrol", "show", "job", "--oneliner", job))
        return match.group(1) if match else ""

    def state(self, job: str) -> str:
        """State of a job; for an array, the different states of its tasks, sorted."""
        states = set(re.findall(r"\bJobState=(\w+)", self.run("scontrol", "show", "job", "--oneliner", job)))
        return " ".join(sorted(states))

    def wait(self, job: str, timeout_s: float = 120, states: set[str] | None = None) -> str:
        """Wait until a job, or all tasks of an array, is over or in one of ``states``; return the state."""
        wanted = states or OVER
        self._until(lambda: set(self.state(job).split()) <= wanted, timeout_s)
        return self.state(job)

    def fail(self, node: str, job: str) -> None:
        """Fail a node with everything that runs on it."""
        pids = re.findall(r"^\s*(\d+)\s", self.run("scontrol", "listpids", job, node, check=False), re.MULTILINE)
        for pid in [(self.base / f"slurmd.{node}.pid").read_text(), *self._steps(job), *pids]:
            try:
                os.kill(int(pid), 9)
            except ProcessLookupError:
                continue
        self.run("scontrol", "update", f"NodeName={node}", "State=DOWN", "Reason=test")

    def restore(self, node: str) -> None:
        """Start a failed node again."""
        self._daemon("slurmd", "-c", "-N", node)
        self.run("scontrol", "update", f"NodeName={node}", "State=RESUME", check=False)
        self._until(lambda: "idle" in self.run("sinfo", "-h", "-n", node, "-o", "%T"), 60)

    def in_home(self) -> list[Path]:
        """Files that jobs left in the home folder, without the configuration that Dask writes there."""
        files = [path for path in self.home.rglob("*") if path.is_file()]
        return [path for path in files if not path.is_relative_to(self.home / ".config" / "dask")]

    def logs(self) -> str:
        """Last lines of the logs of the daemons."""
        return "\n".join(
            f"{log}:\n{log.read_text()[-3000:]}" for log in sorted(self.base.rglob("*log")) if log.is_file()
        )

    def _steps(self, job: str) -> list[str]:
        """Processes of a job, and those of Slurm that watch them: their environment names job and cluster."""
        wanted = {f"SLURM_CONF={self.env['SLURM_CONF']}".encode(), f"SLURM_JOB_ID={job}".encode()}
        processes = []
        for place in Path("/proc").glob("[0-9]*"):
            try:
                environment, command = (place / "environ").read_bytes(), (place / "cmdline").read_bytes()
            except OSError:
                continue
            if wanted <= set(environment.split(b"\0")) or (b"slurmstepd" in command and f"[{job}.".encode() in command):
                processes.append(place.name)
        return processes

    def _write_configuration(self) -> None:
        ports = _free_ports(1 + len(NODES))
        host = socket.gethostname().partition(".")[0]
        conf = CONF.format(host=host, port=ports[0], user=getpass.getuser(), base=self.base)
        gres = ""
        for number in range(CARDS):
            (self.base / "cards" / f"card{number}").symlink_to("/dev/null")  # Slurm requires a device
        for name, port in zip(NODES, ports[1:], strict=True):
            resources = f"Gres=gpu:p100:{CARDS},lscratch:{SCRATCH_GB} State=UNKNOWN"
            conf += NODE.format(name=name, host=host, port=port, cpus=CPUS, memory=MEMORY_MB, gres=resources)
            gres += f"NodeName={name} Name=gpu Type=p100 File={self.base}/cards/card[0-{CARDS - 1}]\n"
            gres += f"NodeName={name} Name=lscratch Count={SCRATCH_GB} Flags=CountOnly\n"
        conf += "".join(
            PARTITION.format(name, ",".join(NODES), "YES" if name == "norm" else "NO") for name in ("norm", "gpu")
        )
        (self.base / "slurm.conf").write_text(conf)
        (self.base / "gres.conf").write_text(gres)

    def _daemon(self, name: str, *options: str) -> None:
        program = shutil.which(name, path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin") or name
        done = subprocess.run(  # no pipe stays open in its children
            [program, *options],
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        assert done.returncode == 0, f"{name} does not start\n{self.logs()}"

    def _until(self, condition, timeout_s: float) -> None:
        over = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > over:
                msg = f"the condition was not met within {timeout_s} s\n{self.logs()}"
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


def _ended(pid: int) -> bool:
    """Whether a process has ended, reaped or not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True
