#!/usr/bin/env bash
# SimSo 0.8.5 (CPython 3.11.7): a running job that the scheduler chooses again, because a less urgent one was released, pays the
# overheads for saving and loading a context and counts as preempted, though nobody else ran. A release that changes nothing
# makes the running job longer. To compare schedules with SimSo's, leave the overheads out or expect the difference.
#
# Seen: rate monotonic, context save and load 0.1 ms each, a job of 4 ms. Alone it ends at 4.1 ms, with 0 preemptions. With a
# less urgent release at 1 ms it ends at 4.3 ms, with 1 preemption; its next job, undisturbed, takes 4.1 ms again.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check simso==0.8.5
"$folder/venv/bin/python" - <<'PYTHON'
from simso.configuration import Configuration
from simso.core import Model

def jobs_of_urgent(with_another):
    setup = Configuration()
    setup.duration = 20 * setup.cycles_per_ms
    setup.etm = "wcet"
    setup.add_task(name="urgent", identifier=1, period=10, wcet=4, deadline=10)
    if with_another:
        setup.add_task(name="other", identifier=2, period=20, activation_date=1, wcet=1, deadline=20)
    setup.add_processor(name="cpu", identifier=1, cs_overhead=100_000, cl_overhead=100_000)
    setup.scheduler_info.clas = "simso.schedulers.RM"
    setup.check_all()
    model = Model(setup)
    model.run_model()
    urgent = next(task for task in model.results.tasks.values() if task.task.name == "urgent")
    done = [job for job in urgent.jobs if job.end_date is not None]
    return [(job.response_time / setup.cycles_per_ms, job.preemption_count) for job in done]

alone, disturbed = jobs_of_urgent(False), jobs_of_urgent(True)
print("response (ms) and preemptions alone:", alone, "with a less urgent release at 1 ms:", disturbed)
assert alone == [(4.1, 0), (4.1, 0)]
assert disturbed == [(4.3, 1), (4.1, 0)]
PYTHON
