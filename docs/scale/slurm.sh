#!/bin/bash
# sbatch slurm.sh: 20 workers, which end two minutes after the last job. ROWWISE_REDIS names a Redis that the nodes reach; checkpoints go
# through the cluster's shared file system. The sweep runs anywhere: rowwise sweep sweep.json --files "$SHARED/files"
#SBATCH --job-name=rowwise
#SBATCH --array=1-20
#SBATCH --cpus-per-task=4
#SBATCH --mem=2G
#SBATCH --time=08:00:00
#SBATCH --signal=TERM@60
set -euo pipefail
SHARED="${SHARED:-$HOME/rowwise}"
export ROWWISE_THREADS="${SLURM_CPUS_PER_TASK:-1}"
exec srun npx --yes @rowwise/cli worker --root "$SHARED" --files "$SHARED/files" --workers 1 --idle 120
