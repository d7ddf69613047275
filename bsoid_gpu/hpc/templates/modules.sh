
if ! command -v module >/dev/null; then # a batch shell may not have the command
  for init in "${MODULESHOME:-}"/init/bash /etc/profile.d/{modules,lmod,z00_lmod}.sh /usr/share/{lmod/lmod,modules}/init/bash; do
    # shellcheck disable=SC1090
    if [ -r "$init" ]; then . "$init" && break; fi
  done
fi
module load {{names}} || exit 3

