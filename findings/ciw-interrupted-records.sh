#!/usr/bin/env bash
# Ciw 3.2.7 (CPython 3.11.7), priority with preemptive resume: the records of an interrupted customer do not add up. The one of the
# interruption has the whole service that was planned as its service_time, and the final one has as waiting_time all the time
# since the arrival that was not its last piece of service: also that in which it was served before. Sums over records count
# service twice; take the dates instead.
#
# Seen: one server; low comes at 1 for 5, high at 3 for 2. low is served 1-3 and 5-8, so it waits 2 and is served 5.
# Its records say: interrupted, waiting 0, service 5; then waiting 4, service 3. Sums: waiting 4 (of 2), service 8 (of 5).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check ciw==3.2.7
"$folder/venv/bin/python" - <<'PYTHON'
import ciw

network = ciw.create_network(
    arrival_distributions={"high": [ciw.dists.Sequential([3, 1000])], "low": [ciw.dists.Sequential([1, 1000])]},
    service_distributions={"high": [ciw.dists.Deterministic(2)], "low": [ciw.dists.Deterministic(5)]},
    number_of_servers=[1],
    priority_classes=({"high": 0, "low": 1}, ["resume"]),
)
ciw.seed(1)
run = ciw.Simulation(network)
run.simulate_until_max_time(50)
low = sorted((r for r in run.get_all_records() if r.customer_class == "low"), key=lambda r: r.service_start_date)
for r in low:
    print(r.record_type, "waiting", r.waiting_time, "service", r.service_time, "from", r.service_start_date)
assert [r.record_type for r in low] == ["interrupted service", "service"]
assert [r.service_start_date for r in low] == [1, 5] and low[-1].service_end_date == 8
assert sum(r.waiting_time for r in low) == 4, "it waited 2"
assert sum(r.service_time for r in low) == 8, "it was served 5"
PYTHON
