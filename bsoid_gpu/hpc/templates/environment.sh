# shellcheck shell=bash disable=SC2034  # what stands here is used by the scripts beside it
# Read by the scripts of this folder: where the program is, where its caches go, and what a signal does.
jobs={{jobs}}
restarts=${BSOID_RESTARTS:-10} # a job is requeued no more often than this
{{modules}}
# scratch of this job alone, gone with it; set BSOID_SCRATCH where the cluster keeps it in another place
scratch=${BSOID_SCRATCH:-/lscratch/${SLURM_JOB_ID:-}}
if [ -z "$scratch" ] || ! [ -w "$scratch" ]; then
  scratch=$(mktemp -d "${TMPDIR:-/tmp}/bsoid.XXXXXXXX") || exit
  trap 'rm -rf -- "$scratch"' EXIT
fi

# caches, which would fill a small home folder: what is compiled is kept for the other tasks and for the next start
export NUMBA_CACHE_DIR=${NUMBA_CACHE_DIR:-$jobs/cache/numba}
export CUPY_CACHE_DIR=${CUPY_CACHE_DIR:-$jobs/cache/cupy}
export CUDA_CACHE_PATH=${CUDA_CACHE_PATH:-$scratch/cuda}
export APPTAINER_CACHEDIR=${APPTAINER_CACHEDIR:-$scratch/apptainer}
export APPTAINER_TMPDIR=${APPTAINER_TMPDIR:-$scratch}
mkdir -p "$NUMBA_CACHE_DIR" "$CUPY_CACHE_DIR" "$CUDA_CACHE_PATH" "$APPTAINER_CACHEDIR"

{{program}}
# The shell handles a signal only between commands: the program runs beside it, and gets TERM for each TERM, USR1 or INT.
child='' told='' again='' code=0
tell() {
  told=1 again=1
  [ -z "$child" ] || kill -TERM "$child" 2>/dev/null
}
trap tell TERM USR1 INT

# Runs a command; its exit status is in $code.
run() {
  local status
  "$@" &
  child=$!
  [ -z "$told" ] || kill -TERM "$child" 2>/dev/null # told before there was a child
  wait "$child"
  code=$?
  while [ -n "$again" ]; do # the signal ended the waiting, not the program
    again=''
    wait "$child" 2>/dev/null
    status=$?
    [ "$status" -eq 127 ] || code=$status
  done
  child=''
}

# Ends the script with $code. 6: the program was told to stop, and the same command goes on where it stopped.
finish() {
  if [ "$code" -eq 6 ] || { [ -n "$told" ] && [ "$code" -eq 143 ]; }; then
    code=6
    requeue
  fi
  exit "$code"
}

# Puts this job back into the queue.
requeue() {
  # a task by its array's number: its own may be that of the whole array
  local id=${SLURM_ARRAY_JOB_ID:+${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID:-}}
  id=${id:-${SLURM_JOB_ID:-}}
  if [ -z "$id" ]; then
    echo "stopped; the same command goes on where it stopped" >&2
  elif [ "$(squeue --noheader --jobs="$id" --format=%T)" != RUNNING ]; then
    echo "job $id was cancelled: it is not requeued" >&2
  elif [ "${SLURM_RESTART_COUNT:-0}" -ge "$restarts" ]; then
    echo "job $id was requeued $restarts times already: ask for more time, or set BSOID_RESTARTS" >&2
  else
    echo "job $id is requeued: it goes on where it stopped" >&2
    scontrol requeue "$id"
  fi
}
