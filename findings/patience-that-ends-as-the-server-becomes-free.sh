#!/usr/bin/env bash
# SimPy 4.1.2, salabim 26.0.9, Ciw 3.2.7 (CPython 3.11.7): a customer whose patience ends at the very instant at which the server
# becomes free is served in Ciw and gone in the other two, whatever was scheduled first. In SimPy it is both: the condition
# `request | timeout` does not contain the request, which is `triggered` all the same, so whoever leaves without cancelling it
# keeps the server for ever. Models with equal constants for patience and service are no common ground.
#
# Seen: Ciw serves it with all of the seeds 0 ... 59; salabim fails the request; SimPy says "gone" and has granted it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check simpy==4.1.2 salabim==26.0.9 ciw==3.2.7
"$folder/venv/bin/python" - <<'PYTHON'
import ciw
import salabim
import simpy

# The server is busy from 0 to 5; the customer comes at 0 and waits for up to 5.
def in_simpy():
    world, said = simpy.Environment(), []
    server = simpy.Resource(world)

    def first():
        with server.request() as request:
            yield request
            yield world.timeout(5)

    def second():
        yield world.timeout(0)
        request = server.request()
        result = yield request | world.timeout(5)
        said.append((request in result, request.triggered, world.now))

    def third():
        yield world.timeout(6)
        request = server.request()
        result = yield request | world.timeout(100)
        said.append((request in result, request.triggered, world.now))

    for process in (first, second, third):
        world.process(process())
    world.run()
    return said

def in_salabim():
    salabim.yieldless(False)
    world, said = salabim.Environment(trace=False), []
    server = salabim.Resource("server")

    class First(salabim.Component):
        def process(self):
            yield self.request(server)
            yield self.hold(5)
            self.release(server)

    class Second(salabim.Component):
        def process(self):
            yield self.request(server, fail_delay=5)
            said.append(not self.failed())

    First(), Second()
    world.run()
    return said

# The same in dates that are exact in binary: busy from 1 to 6, patience from 1.5 to 6.
def in_ciw(seed):
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Sequential([1, 0.5, 1000])],
        service_distributions=[ciw.dists.Deterministic(5)],
        reneging_time_distributions=[ciw.dists.Deterministic(4.5)],
        number_of_servers=[1],
    )
    ciw.seed(seed)
    run = ciw.Simulation(network)
    run.simulate_until_max_time(50)
    return [record.record_type for record in run.get_all_records()] == ["service", "service"]

found = in_simpy(), in_salabim(), sum(in_ciw(seed) for seed in range(60))
print("SimPy (in the result, triggered, when)", found[0], "salabim", found[1], "Ciw", found[2], "of 60")
assert found == ([(False, True, 5), (False, False, 106)], [False], 60)
PYTHON
