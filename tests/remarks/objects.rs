//! Remarks on what tasks synchronise with: what nobody gives back, sends or can have by spinning, and who goes on without.

use super::checked;

#[test]
fn what_nobody_gives_back_sends_or_spins_for() {
    let said = checked(
        "forgotten",
        r#"
        seed = 9007199254740993
        lock = [{ name = "m", spin = "1ms" }, { name = "n", protocol = "ceiling" }]
        rwlock = [{ name = "table" }]
        semaphore = [{ name = "s", permits = 3 }, { name = "sound", permits = 1 }]
        channel = [{ name = "in", capacity = 1 }, { name = "out", capacity = 1 }]
        condvar = [{ name = "cv" }]
        task = [
            { name = "keeps", program = [{ cpu = "1ms" }, { lock = "m" }] },
            { name = "branches", program = [{ choose = [[1, [{ lock = "m" }]], [2, [{ cpu = "1ms" }, { lock = "m" }]]] }] },
            { name = "loops", program = [{ repeat = 2, do = [{ read = "table" }, { unlock = "table" }] }, { write = "table" }] },
            { name = "twice", program = [{ with = "n", do = [{ lock = "n" }] }] },
            { name = "takes", program = [{ acquire = "s" }, { acquire = "sound", do = [] }] },
            { name = "waits", program = [{ recv = "in" }, { send = "out" }, { with = "m", do = [{ wait = "cv", with = "m" }] }] },
            { name = "nothing", program = [] },
        ]
        "#,
    );
    expect_test::expect![[r#"
        2:16: the seed 9007199254740993 is above 2^53: JavaScript and jq read it as another number; in JSON documents it is a text
        3:31: to spin for `m` is in vain: all who take it share one processor; leave `spin` out: its holder cannot run meanwhile
        3:61: `ceiling` is the immediate ceiling protocol: a holder runs at the ceiling of the lock from when it has it; under the original one, where it inherits and may be refused a free lock, tasks end at other times: protocol = "original-ceiling". To say which is meant: "immediate-ceiling"
        3:61: `fifo` does not run by urgency, so `protocol` hardly matters; it is for policies such as `priority` and `edf`
        5:22: nobody gives permits of `s` back: when they are used up, everybody waits for ever; add { release = … } to a program
        6:20: nobody sends into `in`: who receives from it waits for ever; add { send = … } to a program
        6:51: nobody receives from `out`: when it is full, who sends into it waits for ever; add { recv = … } to a program
        7:20: nobody notifies `cv`: who waits there waits for ever; add { notify = … } to a program
        9:68: `m` is taken here and never given back: others would wait for ever; give it back with { unlock = "m" }
        10:111: `m` is taken here and never given back: others would wait for ever; give it back with { unlock = "m" }
        11:117: `table` is taken here and never given back: others would wait for ever; give it back with { unlock = "table" }
        12:71: the task has `n` already: here it waits for itself, for ever; give it back before, or leave this out
        15:43: the program is empty: the task ends as soon as it begins; write what it does, such as [{ cpu = "5ms" }]"#]].assert_eq(&said.join("\n"));
}

#[test]
fn spinning_is_in_vain_where_only_one_can_run() {
    let toml = |machine: &str, executor: &str, affinity: &str| {
        format!(
            "machine = {{ processors = {machine} }}\nexecutor = {executor}\nlock = [{{ name = 'm', spin = '1ms' }}]\n\
             [[task]]\nname = 'a'\ncount = 2\n{affinity}\nprogram = [{{ with = 'm', do = [{{ cpu = '1ms' }}] }}]"
        )
    };
    let vain = |machine: &str, executor: &str, affinity: &str| {
        let said = checked("vain", &toml(machine, executor, affinity));
        said.first().map(|line| line[line.find("all who").expect("a reason")..].split(';').next().map(str::to_owned))
    };
    let because = |what: &str| Some(Some(format!("all who take it share {what}")));
    assert_eq!(vain("1", "'threads'", ""), because("one processor"));
    assert_eq!(vain("2", "'threads'", ""), None);
    assert_eq!(vain("2", "'threads'", "affinity = [1]"), because("one processor"));
    assert_eq!(vain("2", "'async'", ""), because("one thread"));
    assert_eq!(vain("2", "{ kind = 'pool', workers = 1 }", ""), because("one thread"));
    assert_eq!(vain("2", "{ kind = 'pool', workers = 2 }", ""), None);
    assert_eq!(vain("2", "{ kind = 'threads', gil = '5ms' }", ""), because("an interpreter lock"));
}

#[test]
fn who_gives_a_lock_up_and_goes_on_as_if_it_had_it() {
    let with = |lock: &str| {
        format!(
            "lock = [{{ name = \"m\" }}]\ntask = [{{ name = \"A\", count = 2, program = [{{ lock = \"m\"{lock} }}, {{ cpu = \"1ms\" }}, {{ unlock = \"m\" }}] }}]"
        )
    };
    let words = "who gives up goes on behind this without";
    for terms in [", within = \"1ms\"", ", within = \"1ms\", else = [{ cpu = \"1ms\" }]"] {
        let said = checked("gives-up", &with(terms));
        assert!(said.iter().any(|line| line.contains(words)), "{terms}: {said:?}");
    }
    assert!(checked("ends", &with(", within = \"1ms\", else = [\"end\"]")).is_empty());
    assert!(checked("waits", &with("")).is_empty());
}

/// Whoever ends may have taken a permit there, and gives none back; what is taken for good is used up, and what others give back is theirs
/// to know.
#[test]
fn who_ends_with_permits_that_nobody_else_gives_back_is_told_so() {
    let said = checked(
        "ends-with-permits",
        r#"
        semaphore = [{ name = "s", permits = 2 }, { name = "items", permits = 2 }]
        [[task]]
        name = "worker"
        program = [
          { acquire = "s" },
          { choose = [[1, ["end"]], [1, [{ release = "s" }, "end"]], [1, []]] },
          { release = "s" },
          { repeat = 3, do = [{ acquire = "s", count = 2 }, { choose = [[1, ["end"]], [1, []]] }, { release = "s", count = 2 }] },
          { acquire = "s", within = "1ms", else = ["end"] },
          { cpu = "1ms" },
          { release = "s" },
        ]
        [[task]]
        name = "consumer"
        program = [{ acquire = "items", count = 2 }, { cpu = "1ms" }, { release = "items" }, { choose = [[1, ["end"]], [1, []]] }]
        [[task]]
        name = "producer"
        program = [{ release = "items" }]
        "#,
    );
    let places: Vec<&str> = said.iter().filter_map(|line| line.split(": the task ends here with `s`").next()).collect();
    assert!(said.iter().all(|line| line.contains("which nobody would ever give back")), "{said:?}");
    assert_eq!(places, ["7:28", "9:78"]);
}
