#!/bin/bash
# Submits the jobs of this folder, each after the one it needs, and prints their numbers; logs are in logs/.
set -euo pipefail
cd -- {{jobs}}/logs
after=()
if [ -e ../build.sbatch ]; then
  build=$(sbatch --parsable ../build.sbatch)
  echo "build ${build%%;*}"
  after=(--dependency=afterok:"${build%%;*}" --sbatch --kill-on-invalid-dep=yes)
fi
predict=$(swarm -f ../predict.swarm --logdir . "${after[@]}")
predict=${predict##*$'\n'}
echo "predict $predict"
gather=$(sbatch --parsable --dependency=afterany:"$predict" ../gather.sbatch)
echo "gather ${gather%%;*}"
