for name in NUMBA_CACHE_DIR CUPY_CACHE_DIR CUDA_CACHE_PATH CUDA_VISIBLE_DEVICES SLURM_JOB_ID SLURM_JOB_GPUS; do # others are removed by --cleanenv
  [ -z "${!name+set}" ] || export "APPTAINERENV_$name=${!name}"
done
bsoid=(apptainer exec {{nv}}--cleanenv --bind "$scratch" --bind "$NUMBA_CACHE_DIR" --bind "$CUPY_CACHE_DIR" {{binds}} {{image}} bsoid-gpu)
