#!/bin/bash
{{header}}# Builds a model. The same command resumes it.
# shellcheck source-path=SCRIPTDIR source=environment.sh
. {{jobs}}/environment.sh || exit
mapfile -d '' -t sessions <"$jobs/build.manifest"
run "${bsoid[@]}" build {{options}} -- "${sessions[@]}"
finish
