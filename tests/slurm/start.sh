#!/bin/sh
# A real Slurm of this one machine, in a folder of its own: `tests/slurm/start.sh DIR`, then `SLURM_CONF=DIR/slurm.conf` for
# its clients; `tests/slurm/stop.sh DIR` ends it. Needs root, and Debian's `slurm-wlm` and `munge`; several stand beside each
# other. Says why and exits with 77 where it cannot be.
set -u

lacks() { echo "no Slurm can be started here: $*" >&2; exit 77; }

[ $# = 1 ] || { echo "usage: $0 DIR" >&2; exit 2; }
[ "$(id -u)" = 0 ] || lacks "it takes root"
PATH=$PATH:/usr/sbin:/sbin
for program in munged slurmctld slurmd sbatch squeue scancel scontrol sinfo; do
    command -v "$program" >/dev/null || lacks "$program is not installed (Debian: slurm-wlm, munge)"
done
mkdir -p "$1/state" "$1/spool"
dir=$(cd "$1" && pwd)
# munged wants no folder above its socket that only its owner may enter.
chmod 711 "$dir"
(umask 077; head -c 128 /dev/urandom >"$dir/key")
host=$(hostname -s)

# Two ports for which nobody listens, other ones for each folder.
taken() { grep -qi ":$(printf '%04x' "$1") " /proc/net/tcp; }
port=$((20000 + $(printf '%s' "$dir" | cksum | cut -d ' ' -f 1) % 10000))
while taken $port || taken $((port + 1)); do port=$((port + 2)); done

cat >"$dir/slurm.conf" <<END
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port
SlurmdPort=$((port + 1))
SlurmUser=root
AuthInfo=socket=$dir/munge.socket
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.pid
SlurmctldLogFile=$dir/slurmctld.log
SlurmdLogFile=$dir/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
ReturnToService=2
KillWait=5
MinJobAge=10
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
NodeName=$host NodeAddr=127.0.0.1 CPUs=3
PartitionName=main Nodes=ALL Default=YES
END

munged --key-file="$dir/key" --socket="$dir/munge.socket" --pid-file="$dir/munged.pid" --log-file="$dir/munged.log" \
    --seed-file="$dir/munged.seed" || lacks "munged ends"
slurmctld -f "$dir/slurm.conf" || lacks "slurmctld ends"
slurmd -f "$dir/slurm.conf" || lacks "slurmd ends"
export SLURM_CONF="$dir/slurm.conf"
tries=0
while [ "$(timeout 2 sinfo -h -o %T 2>/dev/null)" != idle ]; do
    tries=$((tries + 1))
    [ $tries -lt 40 ] || lacks "its node does not become idle; see $dir/slurmctld.log and $dir/slurmd.log"
    sleep 0.25
done
