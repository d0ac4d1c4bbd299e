#!/bin/sh
# Ends the Slurm that `start.sh DIR` started, with all its jobs; whatever of it is there. The folder stays.
set -u
[ $# = 1 ] || { echo "usage: $0 DIR" >&2; exit 2; }
dir=$(cd "$1" && pwd) || exit 0
export SLURM_CONF="$dir/slurm.conf"

# A process that has ended may stay in the table until pid 1 asks for it.
lives() { [ -e "/proc/$1/stat" ] && ! grep -q ') Z ' "/proc/$1/stat" 2>/dev/null; }

# What still runs would linger where nobody is left to report to.
timeout 10 scancel -p main 2>/dev/null
tries=0
while [ $tries -lt 40 ] && [ -n "$(timeout 5 squeue -h -o %i 2>/dev/null)" ]; do
    tries=$((tries + 1))
    sleep 0.25
done
for daemon in slurmd slurmctld munged; do
    pid=$(cat "$dir/$daemon.pid" 2>/dev/null) || continue
    kill "$pid" 2>/dev/null
    tries=0
    while lives "$pid" && [ $tries -lt 40 ]; do
        tries=$((tries + 1))
        sleep 0.25
    done
    lives "$pid" && kill -9 "$pid" 2>/dev/null
done
exit 0
