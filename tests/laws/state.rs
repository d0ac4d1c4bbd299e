//! The laws where tasks share variables, go on according to them, and do something every so often.

use super::draft::Op;
use super::generator::{self, Dice};
use super::{CASES, report, verdict};
use sim_core::policy::POLICIES;

/// What changes a variable. Nobody makes `w` smaller: whoever counts with it comes to an end.
const CHANGES: [&str; 5] =
    ["set = 'v', to = 0", "add = 'v', by = 1", "add = 'v', by = -1", "add = 'w', by = 1", "add = 'w', by = 2"];

#[test]
fn variables_and_turns_keep_the_laws() {
    let cases = std::env::var("LAWS_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(CASES);
    for seed in 0..cases * 4 {
        let kind = POLICIES[usize::try_from(seed / 4).expect("small") % POLICIES.len()];
        let mut draft = match seed % 4 {
            0 => generator::contention(kind, None, seed),
            1 => generator::barging(kind, seed),
            _ => generator::draft(kind, seed),
        };
        draft.variables = true;
        let mut dice = Dice(seed ^ 0x5851_F42D);
        for task in draft.processes.iter_mut().flat_map(|process| &mut process.tasks) {
            sprinkle(&mut task.program, &mut dice, 2);
        }
        if verdict(&draft).is_err() {
            report(draft);
        }
    }
}

/// Puts operations on variables between the others, and others into what is done accordingly.
fn sprinkle(program: &mut Vec<Op>, dice: &mut Dice, depth: u32) {
    // An endless loop must use time.
    for op in program.iter_mut().filter(|op| !matches!(op, Op::Repeat(None, _))) {
        op.bodies().into_iter().for_each(|body| sprinkle(body, dice, depth.saturating_sub(1)));
    }
    for place in (0..=program.len()).rev() {
        if dice.one_in(3) {
            program.insert(place, Op::Plain(dice.pick(&CHANGES)));
        }
        let Some(op) = program.get(place).filter(|_| depth > 0 && dice.one_in(3)) else { continue };
        // What is spawned must be spawned where it is joined.
        if matches!(op, Op::Spawn(_) | Op::Join(_)) {
            continue;
        }
        let inner = vec![op.clone()];
        program[place] = around(inner, dice);
    }
}

fn around(mut inner: Vec<Op>, dice: &mut Dice) -> Op {
    let (if_, every): ([&str; 5], [&str; 4]) = (
        ["if = 'v == 0'", "if = 'v < w'", "if = 'w >= 3 and v != 1'", "if = 'v > -2'", "if = 'w <= v and v < 5'"],
        [
            "every = '3$', times = 2",
            "every = '2$', times = 3, missed = 'delay'",
            "every = '2$', times = 3, missed = 'skip'",
            "every = '1$', times = 4, missed = 'burst'",
        ],
    );
    match dice.range(0, 3) {
        0 => Op::Around(dice.pick(&if_), inner, None),
        1 => Op::Around(dice.pick(&if_), inner, Some(vec![Op::Plain(dice.pick(&CHANGES))])),
        2 => {
            inner.push(Op::Plain("add = 'w', by = 1"));
            Op::Around(dice.pick(&["while = 'w < 3'", "while = 'w < 5 and w < 4'"]), inner, None)
        }
        _ => Op::Around(dice.pick(&every), inner, None),
    }
}
