#!/bin/bash
# Runs the jobs of this folder one after the other, without a scheduler. The same command resumes them.
# shellcheck source-path=SCRIPTDIR source=environment.sh
. {{jobs}}/environment.sh || exit
export BSOID_SCRATCH=$scratch
if [ -e "$jobs/build.sh" ]; then
  run bash "$jobs/build.sh" >&2
  [ "$code" -eq 0 ] || finish
fi
for ((bundle = 0; bundle < {{bundles}}; bundle++)); do
  run bash "$jobs/predict.sh" "$bundle" >&2
  [ "$code" -ne 6 ] || finish # failed bundles are reported at the end
done
run bash "$jobs/gather.sh"
finish
