#!/bin/bash
{{header}}# Names what has no labels yet, and what to type for it: exit status 4.
# shellcheck source-path=SCRIPTDIR source=environment.sh
. {{jobs}}/environment.sh || exit
run "${bsoid[@]}" hpc gather "$jobs"
finish
