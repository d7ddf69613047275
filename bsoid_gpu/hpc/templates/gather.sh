#!/bin/bash
{{header}}# Lists recordings without labels and the command that labels them: exit status 4. Without any, writes the report.
# shellcheck source-path=SCRIPTDIR source=environment.sh
. {{jobs}}/environment.sh || exit
run "${bsoid[@]}" hpc gather "$jobs"
[ "$code" -ne 0 ] || run "${bsoid[@]}" report {{model}} {{labels}} >&2
finish
