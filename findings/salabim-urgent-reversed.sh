#!/usr/bin/env bash
# salabim 26.0.9 (CPython 3.11.7), generators instead of greenlets: components that are due at one instant run in the order in which they were made,
# but those that are `urgent` go before them last in, first out. And run(till=5) does run what is due at 5, where SimPy's
# run(until=5) does not. Ties and horizons of two simulators are no common ground.
#
# Seen: a b c (plain) and u v w (urgent), all due at 1, another due at 5: w v u a b c five. SimPy 4.1.2 leaves `five` out.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check salabim==26.0.9 simpy==4.1.2
"$folder/venv/bin/python" - <<'PYTHON'
import salabim
import simpy

salabim.yieldless(False)
world, ran = salabim.Environment(trace=False), []

class Component(salabim.Component):
    def process(self):
        ran.append(self.name())
        return
        yield

for name in "abc":
    Component(name=name, at=1)
for name in "uvw":
    Component(name=name, at=1, urgent=True)
Component(name="five", at=5)
world.run(till=5)
print("salabim:", *ran)
assert ran == ["w", "v", "u", "a", "b", "c", "five"]

world, ran = simpy.Environment(), []

def process(name, due):
    yield world.timeout(due)
    ran.append(name)

for name in "abc":
    world.process(process(name, 1))
world.process(process("five", 5))
world.run(until=5)
print("simpy:", *ran)
assert ran == ["a", "b", "c"]
PYTHON
