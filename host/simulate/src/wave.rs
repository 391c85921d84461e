//! WAVE, the text form of component values, as `wasmtime run --invoke` takes and prints it.
//!
//! Options that are none are left out, as wasmtime does.

use lifeline_contract::Call;
use lifeline_contract::types::{
    Action, Attempt, Countdown, Decision, Moment, Outage, Phase, Request, Saving, Scene, Settings,
    State,
};
use std::fmt::Write;

/// A call of one of the contract's functions, ready for `--invoke`.
pub fn call(call: &Call, before: &State, now: &Moment) -> String {
    let (state, moment) = (state(before), moment(now));
    let name = call.name();
    match call {
        Call::Start => format!("{name}({moment})"),
        Call::OnConnect | Call::Tick => format!("{name}({state}, {moment})"),
        Call::OnConnectError(why) => format!("{name}({state}, {moment}, {})", why.name()),
        Call::OnDisconnect(why) => format!("{name}({state}, {moment}, {})", why.name()),
        Call::OnSaved(Ok(())) => format!("{name}({state}, {moment}, ok)"),
        Call::OnSaved(Err(reason)) => {
            format!("{name}({state}, {moment}, err({}))", text(reason))
        }
        Call::OnRequest(what) => format!("{name}({state}, {moment}, {})", request(*what)),
    }
}

/// An answer, as wasmtime prints it.
pub fn decision(decision: &Decision) -> String {
    record([
        ("state", Some(state(&decision.state))),
        ("actions", Some(list(decision.actions.iter().map(action)))),
        ("wake-at", some(decision.wake_at)),
    ])
}

/// What a policy remembers.
pub fn state(state: &State) -> String {
    record([
        ("phase", Some(phase(&state.phase))),
        ("seen", Some(state.seen.to_string())),
        (
            "memo",
            Some(list(state.memo.iter().map(ToString::to_string))),
        ),
    ])
}

/// The circumstances of a call.
pub fn moment(moment: &Moment) -> String {
    record([
        ("now", Some(moment.now.to_string())),
        ("due", some(moment.due)),
        ("entropy", some(moment.entropy)),
        ("settings", some(moment.settings.as_ref().map(settings))),
        ("scene", some(moment.scene.as_ref().map(scene))),
        ("cut-off", some(moment.cut_off)),
    ])
}

/// What a policy asks for.
pub fn action(action: &Action) -> String {
    match action {
        Action::Warn(left) => format!("warn({left})"),
        Action::Save(place) => format!("save({})", place.name()),
        Action::Connect | Action::Quit => action.name().into(),
    }
}

/// What a person asks for.
pub fn request(request: Request) -> String {
    match request {
        Request::Extend(by) => format!("extend({by})"),
        Request::Hold | Request::Release | Request::CloseNow => request.name().into(),
    }
}

fn phase(phase: &Phase) -> String {
    match phase {
        Phase::Connected => phase.name().into(),
        Phase::Reconnecting(it) | Phase::Quitting(it) | Phase::Held(it) => {
            format!("{}({})", phase.name(), outage(it))
        }
        Phase::CountingDown(it) => format!("{}({})", phase.name(), countdown(it)),
        Phase::Saving(it) => format!("{}({})", phase.name(), saving(it)),
    }
}

fn outage(outage: &Outage) -> String {
    let attempt = match outage.attempt {
        Attempt::Due(at) => format!("due({at})"),
        Attempt::UnderWay(until) => format!("under-way({until})"),
    };
    record([
        ("lost-at", Some(outage.lost_at.to_string())),
        ("why", Some(outage.why.name().into())),
        ("attempts", Some(outage.attempts.to_string())),
        ("attempt", Some(attempt)),
        ("extended", Some(outage.extended.to_string())),
    ])
}

fn countdown(countdown: &Countdown) -> String {
    record([
        ("outage", Some(outage(&countdown.outage))),
        ("deadline", Some(countdown.deadline.to_string())),
        ("warned", Some(countdown.warned.to_string())),
    ])
}

fn saving(saving: &Saving) -> String {
    record([
        ("outage", Some(outage(&saving.outage))),
        ("place", Some(saving.place.name().into())),
        ("since", Some(saving.since.to_string())),
    ])
}

fn settings(settings: &Settings) -> String {
    let warnings = settings.warn_before.iter().map(ToString::to_string);
    record([
        ("retry-attempts", Some(settings.retry_attempts.to_string())),
        ("retry-delay", Some(settings.retry_delay.to_string())),
        (
            "retry-delay-max",
            Some(settings.retry_delay_max.to_string()),
        ),
        ("retry-jitter", Some(settings.retry_jitter.to_string())),
        (
            "connect-timeout",
            Some(settings.connect_timeout.to_string()),
        ),
        (
            "cleanup-timeout",
            Some(settings.cleanup_timeout.to_string()),
        ),
        ("warn-before", Some(list(warnings))),
        ("render-wait", Some(settings.render_wait.to_string())),
    ])
}

fn scene(scene: &Scene) -> String {
    record([
        ("modified", Some(scene.modified.to_string())),
        ("untitled", Some(scene.untitled.to_string())),
        ("rendering", Some(scene.rendering.to_string())),
    ])
}

fn some(value: Option<impl std::fmt::Display>) -> Option<String> {
    value.map(|value| format!("some({value})"))
}

fn record<const N: usize>(fields: [(&str, Option<String>); N]) -> String {
    let there = fields
        .into_iter()
        .filter_map(|(name, value)| Some(format!("{name}: {}", value?)));
    format!("{{{}}}", there.collect::<Vec<_>>().join(", "))
}

fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(", "))
}

fn text(text: &str) -> String {
    let mut quoted = String::from('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            control if control.is_control() => {
                // Writing to a String cannot fail.
                let _ = write!(quoted, "\\u{{{:x}}}", u32::from(control));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use lifeline_contract::types::{Loss, Place};

    fn outage() -> Outage {
        Outage {
            lost_at: 0,
            why: Loss::TransportError,
            attempts: 1,
            attempt: Attempt::Due(2_000),
            extended: 0,
        }
    }

    fn at(phase: Phase) -> State {
        State {
            phase,
            seen: 5,
            memo: vec![1, 2],
        }
    }

    #[test]
    fn what_is_none_is_left_out() {
        let connected = State {
            phase: Phase::Connected,
            seen: 0,
            memo: vec![],
        };
        assert_eq!(
            call(&Call::Start, &connected, &Moment::at(7)),
            "start({now: 7})"
        );
        let answer = Decision {
            state: connected,
            actions: vec![],
            wake_at: None,
        };
        assert_eq!(
            decision(&answer),
            "{state: {phase: connected, seen: 0, memo: []}, actions: []}"
        );
    }

    #[test]
    fn a_moment_with_everything() {
        let moment = Moment {
            now: u64::MAX,
            due: Some(1),
            entropy: Some(u64::MAX),
            settings: Some(Settings {
                retry_attempts: 5,
                retry_delay: 1,
                retry_delay_max: 2,
                retry_jitter: 3,
                connect_timeout: 4,
                cleanup_timeout: 5,
                warn_before: vec![60_000, 10_000],
                render_wait: 6,
            }),
            scene: Some(Scene {
                modified: true,
                untitled: false,
                rendering: true,
            }),
            cut_off: Some(7),
        };
        let max = u64::MAX;
        assert_eq!(
            super::moment(&moment),
            format!(
                "{{now: {max}, due: some(1), entropy: some({max}), settings: some({{retry-attempts: 5, \
                 retry-delay: 1, retry-delay-max: 2, retry-jitter: 3, connect-timeout: 4, \
                 cleanup-timeout: 5, warn-before: [60000, 10000], render-wait: 6}}), \
                 scene: some({{modified: true, untitled: false, rendering: true}}), \
                 cut-off: some(7)}}"
            )
        );
    }

    #[test]
    fn every_phase_and_every_call() {
        let saving = Phase::Saving(Saving {
            outage: outage(),
            place: Place::InPlace,
            since: 3,
        });
        let o = "{lost-at: 0, why: transport-error, attempts: 1, attempt: due(2000), extended: 0}";
        let reason = "disk \"full\" \\ \n\u{1}".to_string();
        assert_eq!(
            call(&Call::OnSaved(Err(reason)), &at(saving), &Moment::at(9)),
            format!(
                "on-saved({{phase: saving({{outage: {o}, place: in-place, since: 3}}), seen: 5, \
                 memo: [1, 2]}}, {{now: 9}}, err(\"disk \\\"full\\\" \\\\ \\n\\u{{1}}\"))"
            )
        );
        let countdown = Phase::CountingDown(Countdown {
            outage: outage(),
            deadline: 8,
            warned: 4,
        });
        assert_eq!(
            call(
                &Call::OnRequest(Request::Extend(6)),
                &at(countdown),
                &Moment::at(9)
            ),
            format!(
                "on-request({{phase: counting-down({{outage: {o}, deadline: 8, warned: 4}}), seen: 5, \
                 memo: [1, 2]}}, {{now: 9}}, extend(6))"
            )
        );
        for (phase, name) in [
            (Phase::Reconnecting(outage()), "reconnecting"),
            (Phase::Quitting(outage()), "quitting"),
            (Phase::Held(outage()), "held"),
        ] {
            assert_eq!(
                call(&Call::Tick, &at(phase), &Moment::at(9)),
                format!("tick({{phase: {name}({o}), seen: 5, memo: [1, 2]}}, {{now: 9}})")
            );
        }
    }

    #[test]
    fn every_action() {
        let actions = [
            Action::Connect,
            Action::Warn(1),
            Action::Save(Place::Recovery),
            Action::Quit,
        ];
        assert_eq!(
            list(actions.iter().map(action)),
            "[connect, warn(1), save(recovery), quit]"
        );
    }
}
