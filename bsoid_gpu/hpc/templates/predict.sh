#!/bin/bash
{{header}}# Labels one bundle of sessions: number $1, or that of the array task. Finished tables are not written again.
# shellcheck source-path=SCRIPTDIR source=environment.sh
. {{jobs}}/environment.sh || exit
bundle=${1:-${SLURM_ARRAY_TASK_ID:-0}}
mapfile -d '' -t every <"$jobs/predict.manifest" # entries are the bundle and the path: 3/data/mouse.csv
sessions=()
for session in "${every[@]}"; do
  [[ $session != "$bundle"/* ]] || sessions+=("${session#"$bundle"}")
done
if [ "${#sessions[@]}" -eq 0 ]; then
  echo "there is no bundle $bundle in $jobs/predict.manifest" >&2
  exit 2
fi
run "${bsoid[@]}" predict {{options}} -- {{model}} "${sessions[@]}"
finish
