//! Groups of the kernel: nobody has more than its group may have, weights are told, and nothing is left of them.

use sim_core::policy::on_linux::Realised;
use sim_core::time::Span;
use sim_core::timeline::What;

use super::{run, scenario, skip};
use crate::prepare::groups::{self, Groups};

/// Can groups be made here?
fn can() -> bool {
    let text = "group = [{ name = 'g', quota = '5ms' }]\n[[task]]\nname = 'A'\nprogram = [{ cpu = '1ms' }]";
    match groups::check(&scenario(text)) {
        Ok(()) => true,
        Err(reason) => {
            skip(&reason.reason);
            false
        }
    }
}

/// Each executor, in a group that may use a quarter of a processor.
fn limited(executor: &str) -> String {
    format!(
        "until = '120ms'\n[[group]]\nname = 'all'\n[[group]]\nname = 'web'\nparent = 'all'\nquota = '5ms'\nperiod = '20ms'\n
         [[process]]\nname = 'p'\ngroup = 'web'\nexecutor = {executor}\n
         [[process.task]]\nname = 'hog'\ncount = 2\nprogram = [{{ cpu = '1s' }}]\n
         [[process]]\nname = 'q'\n[[process.task]]\nname = 'beside'\nprogram = [{{ cpu = '1ms' }}]"
    )
}

#[test]
fn no_group_has_more_than_its_quota_whatever_the_executor() {
    if !can() {
        return;
    }
    for executor in super::executors() {
        let measured = run(&limited(executor));
        let (timeline, recorded) = (&measured.timeline, &measured.recorded);
        let hogs =
            timeline.intervals.iter().filter(|run| run.what == What::Run && timeline.short_name(run.task) != "beside");
        let used: Span = hogs.map(|run| run.end - run.start).sum();
        // Periods are not counted from the start, and who is in the middle of a tick of the kernel's clock goes on to its end.
        let periods = timeline.end.ns().div_ceil(20_000_000) + 1;
        let most = Span::from_ms(5) * periods + Span::from_ms(5 + 4);
        assert!(used <= most, "{executor}: {used} of {most}: {recorded:#?}");
        let [group] = &recorded.groups[..] else { panic!("{executor}: {recorded:#?}") };
        // Where others are busy it may have less than its quota.
        assert!(group.name == "web" && group.throttles <= group.periods, "{executor}: {group:?}");
        assert_ne!(recorded.policy_realised, Realised::Exact, "{executor}: {recorded:#?}");
    }
}

#[test]
fn groups_are_gone_with_what_holds_them() {
    if !can() {
        return;
    }
    let made = |text: &str| Groups::new(&scenario(text)).unwrap_or_else(|reason| panic!("{reason}"));
    let groups = made(&limited("'threads'")).expect("they are needed");
    let folder = groups.folder().to_owned();
    assert!(folder.join("group-0/group-1").is_dir(), "{folder:?}");
    // Who is in one of them is put out.
    std::thread::scope(|scope| {
        let (says, ready) = flume::unbounded();
        let (goes, may_go) = flume::unbounded::<()>();
        let groups = &groups;
        scope.spawn(move || {
            groups.join(Some(sim_core::ids::GroupId(1)));
            _ = says.send(());
            _ = may_go.recv();
        });
        _ = ready.recv();
        assert!(groups.hold_all());
        drop(goes);
    });
    drop(groups);
    assert!(!folder.exists(), "{folder:?}");
    assert!(made("[[task]]\nname = 'A'\nprogram = [{ cpu = '1ms' }]").is_none());
}

#[test]
fn what_the_kernel_does_not_take_is_refused_by_name() {
    let reason = |quota: &str| {
        let text = format!("group = [{{ name = 'g', {quota} }}]\n[[task]]\nname = 'A'\nprogram = [{{ cpu = '1ms' }}]");
        groups::check(&scenario(&text)).expect_err("it is not taken").reason
    };
    let told =
        ["quota = '1ms', period = '2s'", "quota = '1us', period = '1ms'", "quota = '1ms', burst = '2ms'"].map(reason);
    expect_test::expect![[r#"
        the quota of the group `g` is simulated, but not measured: its period is 2s, and in Linux it is 1ms to 1s
        the quota of the group `g` is simulated, but not measured: its quota is 1us, and in Linux it is 1ms or more
        the quota of the group `g` is simulated, but not measured: its burst of 2ms is more than its quota, which Linux does not take"#]].assert_eq(&told.join("\n"));
}
