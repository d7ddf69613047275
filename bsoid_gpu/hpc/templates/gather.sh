#!/bin/bash
{{header}}# Lists recordings without labels and the command that labels them: exit status 4.
# shellcheck source-path=SCRIPTDIR source=environment.sh
. {{jobs}}/environment.sh || exit
run "${bsoid[@]}" hpc gather "$jobs"
finish
