# shellcheck shell=bash disable=SC2034  # variables are used by the scripts beside this one
# Sourced by the scripts of this folder: the program, its caches, and how signals are handled.
jobs={{jobs}}
restarts=${BSOID_RESTARTS:-10} # a job is requeued at most this often
{{modules}}
# scratch of this job, removed when it ends; set BSOID_SCRATCH if the cluster has another folder for it
scratch=${BSOID_SCRATCH:-/lscratch/${SLURM_JOB_ID:-}}
if [ -z "$scratch" ] || ! [ -w "$scratch" ]; then
  scratch=$(mktemp -d "${TMPDIR:-/tmp}/bsoid.XXXXXXXX") || exit
  trap 'rm -rf -- "$scratch"' EXIT
fi

# caches would fill a small home folder; compiled code is kept for other tasks and later jobs
export NUMBA_CACHE_DIR=${NUMBA_CACHE_DIR:-$jobs/cache/numba}
export CUPY_CACHE_DIR=${CUPY_CACHE_DIR:-$jobs/cache/cupy}
export CUDA_CACHE_PATH=${CUDA_CACHE_PATH:-$scratch/cuda}
export APPTAINER_CACHEDIR=${APPTAINER_CACHEDIR:-$scratch/apptainer}
export APPTAINER_TMPDIR=${APPTAINER_TMPDIR:-$scratch}
mkdir -p "$NUMBA_CACHE_DIR" "$CUPY_CACHE_DIR" "$CUDA_CACHE_PATH" "$APPTAINER_CACHEDIR"

{{program}}
# A shell handles signals only between commands: the program runs in the background and gets TERM for TERM, USR1 or INT.
child='' stopping='' interrupted='' code=0
stop() {
  stopping=1 interrupted=1
  [ -z "$child" ] || kill -TERM "$child" 2>/dev/null
}
trap stop TERM USR1 INT

# Runs a command; its exit status is in $code.
run() {
  local status
  "$@" &
  child=$!
  [ -z "$stopping" ] || kill -TERM "$child" 2>/dev/null # the signal came before the program
  wait "$child"
  code=$?
  while [ -n "$interrupted" ]; do # the signal ended the wait, not the program
    interrupted=''
    wait "$child" 2>/dev/null
    status=$?
    [ "$status" -eq 127 ] || code=$status
  done
  child=''
}

# Ends the script with $code. 6: a signal stopped the program, and the same command resumes it.
finish() {
  if [ "$code" -eq 6 ] || { [ -n "$stopping" ] && [ "$code" -eq 143 ]; }; then
    code=6
    requeue
  fi
  exit "$code"
}

# Puts this job back into the queue.
requeue() {
  # a task by the number of its array: its job number may mean the complete array
  local id=${SLURM_ARRAY_JOB_ID:+${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID:-}}
  id=${id:-${SLURM_JOB_ID:-}}
  if [ -z "$id" ]; then
    echo "stopped: run the same command to resume" >&2
  elif [ "$(squeue --noheader --jobs="$id" --format=%T)" != RUNNING ]; then
    echo "job $id was cancelled: it is not requeued" >&2
  elif [ "${SLURM_RESTART_COUNT:-0}" -ge "$restarts" ]; then
    echo "job $id was requeued $restarts times already: request more time, or set BSOID_RESTARTS" >&2
  else
    echo "job $id is requeued and will resume" >&2
    scontrol requeue "$id"
  fi
}
