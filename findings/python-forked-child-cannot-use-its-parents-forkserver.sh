#!/usr/bin/env bash
# CPython 3.9.18, 3.11.7, 3.13.0 (Linux 6.18), multiprocessing: a process that was forked after its parent had started a process by
# "forkserver" can start none by "forkserver" itself. It has the pid of the server in its memory and asks with waitpid() whether
# that still lives, as if the server were its child: ChildProcessError. Forked before the first such process, or itself
# started by "forkserver" or "spawn", it has a server of its own. The methods of the contexts seem independent of each other, and are not.
#
# Seen: forked before: ok; forked after: ChildProcessError; from the server: ok.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat > case.py <<'PYTHON'
import multiprocessing

fork, server = multiprocessing.get_context("fork"), multiprocessing.get_context("forkserver")

def nothing():
    pass

def starts(told):
    try:
        child = server.Process(target=nothing)
        child.start()
        child.join()
        told.put("ok")
    except OSError as error:
        told.put(type(error).__name__)

def said_by(context):
    told = context.SimpleQueue()
    process = context.Process(target=starts, args=(told,))
    process.start()
    process.join()
    return told.get()

if __name__ == "__main__":
    before = said_by(fork)
    first = server.Process(target=nothing)
    first.start()
    first.join()
    print(f"forked before: {before}; forked after: {said_by(fork)}; from the server: {said_by(server)}")
PYTHON
seen=$("${PYTHON:-python3}" case.py)
echo "$seen"
[ "$seen" = "forked before: ok; forked after: ChildProcessError; from the server: ok" ]
