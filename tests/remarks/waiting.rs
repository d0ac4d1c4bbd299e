//! Remarks on waits that are given up, and on pools that are full: what is said of them in vain.

use super::checked;

fn of_pool(parameters: &str) -> Vec<String> {
    let toml = format!(
        "executor = {{ kind = \"pool\", {parameters} }}\n[[task]]\nname = \"a\"\nprogram = [{{ cpu = \"1ms\" }}]\n"
    );
    checked("pool", &toml)
}

#[test]
fn a_pool_that_never_grows_or_is_never_full() {
    let grows = "the pool never has more than 2 threads: a new one comes only when the queue is full; \
                 add queue-limit = 0, or how many tasks may wait before it grows";
    assert_eq!(of_pool("core = 2, maximum = 8"), [format!("1:39: {grows}")]);
    assert_eq!(of_pool("rules = \"jvm-17\", core = 2, maximum = 8"), [format!("1:57: {grows}")]);
    assert_eq!(of_pool("core = 0, maximum = 8")[0].replace("one thread", "2 threads"), format!("1:39: {grows}"));
    let full = "the pool is never full: any number of tasks may wait in its queue; add queue-limit, the number of tasks that may wait";
    assert_eq!(of_pool("workers = 2, when-full = \"reject\""), [format!("1:42: {full}")]);
    let outside = "who finds the queue full waits outside, in the same order: the limit changes only where tasks wait; \
                   add when-full = \"reject\" or \"caller-runs\", or a `maximum` above `core`";
    assert_eq!(of_pool("workers = 2, queue-limit = 8"), [format!("1:42: {outside}")]);
    assert_eq!(of_pool("workers = 2, queue-limit = 8, when-full = \"block\""), [format!("1:42: {outside}")]);
    let stays =
        "no thread ever goes away: the pool has no more than its core; add core, the number of threads that stay";
    assert_eq!(of_pool("workers = 2, keep-alive = \"1s\""), [format!("1:42: {stays}")]);
    let workers =
        "`workers` means nothing beside `maximum`; leave it out: workers = n is short for core = n and maximum = n";
    assert_eq!(of_pool("workers = 2, core = 1, maximum = 4, queue-limit = 3"), [format!("1:29: {workers}")]);
    // What rules say is nobody's hope.
    for quiet in ["rules = \"tokio-1.54\"", "rules = \"jvm-17\", workers = 2", "core = 1, maximum = 4, queue-limit = 3"]
    {
        assert!(of_pool(quiet).is_empty(), "{quiet}: {:?}", of_pool(quiet));
    }
}

fn of_program(program: &str) -> Vec<String> {
    let toml = format!(
        r#"machine = {{ processors = 2 }}
        executor = "async"
        lock = [{{ name = "m" }}]
        semaphore = [{{ name = "s", permits = 1 }}]
        device = [{{ name = "d" }}, {{ name = "full", queue = 1 }}]
        [[process]]
        name = "p"
        pools = {{ few = {{ kind = "pool", workers = 1, queue-limit = 1, when-full = "reject" }}, many = {{ kind = "pool", workers = 2 }} }}
        [[process.task]]
        name = "b"
        arrival = "spawned"
        program = [{{ cpu = "1ms" }}]
        [[process.task]]
        name = "a"
        program = [{program}]
        "#
    );
    let said = checked("giving-up", &toml.replace("executor = \"async\"\n", ""));
    said.into_iter().map(|line| line.splitn(3, ':').nth(2).unwrap_or_default().trim().to_owned()).collect()
}

#[test]
fn what_is_done_else_where_nobody_ever_gives_up() {
    let (unused, few) = (r#"{ spawn = "b" }"#, r#"{ on = "few", do = [] }, { on = "many", do = [] }"#);
    let with = |op: &str| of_program(&format!("{op}, {unused}, {few}"));
    let never = "what is done `else` never happens: ";
    let nobody = format!("{never}nobody gives this up, nor is turned away; ");
    let lock = with(r#"{ with = "m", do = [], else = ["end"] }"#);
    assert_eq!(lock, [format!("{nobody}add within = \"5ms\", the time after which it is given up")]);
    let io = with(r#"{ io = "d", for = "1ms", else = ["end"] }"#);
    assert_eq!(io, [format!("{nobody}add `within` or `patience`, or let the device turn requests away (`queue`)")]);
    let pools = "it is for pools with a queue-limit and when-full = \"reject\"";
    let on = with(r#"{ on = "many", do = [], else = ["end"] }"#);
    assert_eq!(on, [format!("{never}`p.many` turns nobody away; {pools}")]);
    let spawn = with(r#"{ spawn = "b", else = ["end"] }"#);
    assert_eq!(spawn, [format!("{never}`p` turns nobody away; {pools}")]);
    for meant in [
        r#"{ with = "m", within = "1ms", do = [], else = ["end"] }"#,
        r#"{ io = "full", for = "1ms", else = ["end"] }"#,
        r#"{ io = "d", for = "1ms", patience = "1ms", else = ["end"] }"#,
        r#"{ on = "few", do = [], else = ["end"] }"#,
        r#"{ on = "many", within = "1ms", do = [], else = ["end"] }"#,
    ] {
        assert!(with(meant).is_empty(), "{meant}: {:?}", with(meant));
    }
    let patience = with(r#"{ io = "d", for = "1ms", within = "2ms", patience = "3ms" }"#);
    let shorter = "leave one of them out, or let `patience` be the shorter one";
    assert_eq!(
        patience,
        [format!("`patience` never comes to an end here: the request is given up `within` less; {shorter}")]
    );
}

#[test]
fn who_gives_a_permit_back_that_it_never_had() {
    let rest = r#"{ spawn = "b" }, { on = "few", do = [] }, { on = "many", do = [] }"#;
    let with = |ops: &str| of_program(&format!("{ops}, {rest}"));
    let said = "who gives up goes on behind this without a permit of `s`, and gives one back; let `else` end with \"end\", or \
                write what is done with the permit as `do` of the `acquire`";
    assert_eq!(with(r#"{ acquire = "s", within = "1ms" }, { cpu = "1ms" }, { release = "s" }"#), [said]);
    let other =
        r#"{ acquire = "s", within = "1ms", else = [{ cpu = "1ms" }] }, { repeat = 2, do = [{ release = "s" }] }"#;
    assert_eq!(with(other), [said]);
    for meant in [
        r#"{ acquire = "s", within = "1ms", else = ["end"] }, { release = "s" }"#,
        r#"{ acquire = "s", within = "1ms", do = [{ cpu = "1ms" }], else = [{ cpu = "1ms" }] }"#,
        r#"{ acquire = "s", within = "1ms", else = [{ acquire = "s" }] }, { release = "s" }"#,
    ] {
        assert!(with(meant).is_empty(), "{meant}: {:?}", with(meant));
    }
}

#[test]
fn a_server_whose_priority_is_nobodys_choice() {
    let toml = |server: &str, other: i32| {
        format!(
            r#"
            until = "1s"
            scheduler = {{ policy = "priority" }}
            server = [{{ name = "S", kind = "polling", budget = "2ms", period = "10ms"{server} }}]
            task = [
                {{ name = "a", server = "S", program = [{{ cpu = "1ms" }}] }},
                {{ name = "b", priority = {other}, program = [{{ cpu = "1ms" }}] }},
            ]
            "#
        )
    };
    let said = "4:23: the server `S` names no `priority`: it has 0, and others have their own; add priority = 5, or how urgent it is \
                among the tasks";
    assert_eq!(checked("server", &toml("", 4)), [said]);
    assert!(checked("server", &toml(", priority = 0", 4)).is_empty());
    assert!(checked("server", &toml("", 0)).is_empty());
}
