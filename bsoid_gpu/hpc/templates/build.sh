#!/bin/bash
{{header}}# Learns behaviours. The same command goes on where it stopped.
# shellcheck source-path=SCRIPTDIR source=environment.sh
. {{jobs}}/environment.sh || exit
mapfile -d '' -t sessions <"$jobs/build.manifest"
run "${bsoid[@]}" build {{options}} -- "${sessions[@]}"
finish
