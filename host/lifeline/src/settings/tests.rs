use super::*;
use serde_json::json;

fn resolve(preferences: Json, environment: &[(&str, &str)]) -> Result<Settings, SettingsError> {
    let environment = environment
        .iter()
        .map(|(k, v)| (k.to_string(), v.to_string()))
        .collect();
    Settings::resolve(preferences.as_object().unwrap(), &environment)
}

#[test]
fn the_defaults_are_the_contracts() {
    let timing = resolve(json!({}), &[]).unwrap().timing;
    assert_eq!(timing, contract::Settings::default());
}

#[test]
fn a_silence_of_nothing_switches_the_probe_off() {
    let probing = |text: &str| {
        let settings = resolve(json!({}), &[("CR8_PROBE_SILENCE", text)]);
        settings.unwrap().probing
    };
    assert_eq!(
        probing(""),
        Some(Probing {
            silence: Duration::from_secs(3),
            every: Duration::from_secs(1800),
        })
    );
    assert_eq!(probing("0"), None);
    let faults = resolve(json!({"probe_every": 0}), &[("CR8_PROBE_SILENCE", "-1")]);
    assert_eq!(
        faults.unwrap_err().0,
        [
            "CR8_PROBE_SILENCE is \"-1\": expected seconds from 0 to 600",
            "probe_every (preference) is 0: expected seconds from 1 to 86400",
        ]
    );
}

#[test]
fn the_environment_wins_over_preferences_over_defaults() {
    let preferences = json!({"cleanup_timeout": 60, "retry_delay": 1.5, "username": "ada"});
    let settings = resolve(preferences, &[("CR8_CLEANUP_TIMEOUT", "7.25")]).unwrap();
    assert_eq!(settings.timing.cleanup_timeout, 7_250);
    assert_eq!(settings.timing.retry_delay, 1_500);
    assert_eq!(settings.timing.retry_attempts, 5);
    assert_eq!(settings.username, "ada");
}

#[test]
fn empty_and_null_mean_not_set() {
    let settings = resolve(
        json!({"retry_delay": null}),
        &[("CR8_CLEANUP_TIMEOUT", " ")],
    )
    .unwrap();
    assert_eq!(settings.timing.retry_delay, 2_000);
    assert_eq!(settings.timing.cleanup_timeout, 300_000);
}

#[test]
fn lists_of_seconds() {
    let settings = resolve(json!({}), &[("CR8_WARN_BEFORE", "90, 5.5")]).unwrap();
    assert_eq!(settings.timing.warn_before, [90_000, 5_500]);
    let settings = resolve(json!({"warn_before": []}), &[]).unwrap();
    assert!(settings.timing.warn_before.is_empty());
}

#[test]
fn the_limits_of_policies_are_the_sandboxs_unless_set() {
    let policy = resolve(json!({}), &[]).unwrap().policy;
    assert_eq!(policy.limits, lifeline_sandbox::Limits::default());
    assert_eq!(policy.bounds, lifeline_core::guard::Bounds::default());
    assert!(!policy.push && policy.pins.is_empty());
    let set = [
        ("CR8_POLICY_FUEL", "200000"),
        ("CR8_POLICY_TIME", "0.5"),
        ("CR8_POLICY_MEMORY", "3"),
        ("CR8_POLICY_TABLE", "2000"),
        ("CR8_POLICY_STACK", "128"),
        ("CR8_POLICY_ANSWER", "32"),
        ("CR8_POLICY_SIZE", "5"),
        ("CR8_POLICY_MEMO", "17"),
        ("CR8_POLICY_ACTIONS", "4"),
        ("CR8_POLICY_CACHE", "off"),
    ];
    let policy = resolve(json!({"policy_push": true}), &set).unwrap().policy;
    let limits = lifeline_sandbox::Limits {
        fuel: 200_000,
        memory: 3 << 20,
        table: 2_000,
        stack: 128 << 10,
        time: std::time::Duration::from_millis(500),
        answer: 32 << 10,
        component: 5 << 20,
    };
    assert_eq!(policy.limits, limits);
    assert_eq!((policy.bounds.memo, policy.bounds.actions), (17, 4));
    assert!(policy.push && policy.cache.is_none());
}

#[test]
fn a_pin_is_sixty_four_hexadecimal_digits() {
    let (one, two) = ("AB".repeat(32), "01".repeat(32));
    let pins = |text: &str| {
        Some(
            resolve(json!({"policy_sha256": text}), &[])
                .ok()?
                .policy
                .pins,
        )
    };
    let found = pins(&format!("{one}, {two}")).unwrap();
    assert_eq!(found, [one.to_lowercase(), two]);
    assert_eq!(pins(""), Some(vec![]));
    for wrong in ["ab", &"g".repeat(64), &format!("{one},")] {
        assert_eq!(pins(wrong), None, "{wrong}");
    }
}

#[test]
fn every_fault_is_named_with_what_was_expected() {
    let error = resolve(
        json!({"retry_attempts": 2.5, "cleanup": 3}),
        &[
            ("CR8_RETRY_DELAY", "soon"),
            ("CR8_CLEANUP_TIMEOUT", "-1"),
            ("CR8_CONNECT_TIMEOUT", "nan"),
        ],
    )
    .unwrap_err();
    assert_eq!(
        error.0,
        [
            "cleanup: there is no such setting",
            "retry_attempts (preference) is 2.5: expected a whole number from 0 to 1000",
            "CR8_RETRY_DELAY is \"soon\": expected seconds from 0.01 to 3600",
            "CR8_CONNECT_TIMEOUT is \"nan\": expected seconds from 0.1 to 600",
            "CR8_CLEANUP_TIMEOUT is \"-1\": expected seconds from 0 to 604800",
        ]
    );
}

#[test]
fn the_token_is_shown_nowhere() {
    let settings = resolve(
        json!({}),
        &[
            ("CR8_AUTH_TOKEN", "hunter2"),
            ("WS_URL", "ws://me:hunter2@h:1/?token=hunter2"),
        ],
    )
    .unwrap();
    let shown = format!("{settings:?} {:?}", settings.shown());
    assert!(!shown.contains("hunter2"), "{shown}");
    assert_eq!(settings.token.reveal(), "hunter2");
    assert_eq!(settings.token.redact("bad token hunter2"), "bad token ***");
}

#[test]
fn a_url_that_is_sent_to_is_checked_and_never_echoed() {
    for name in ["save_url", "notify_url"] {
        for wrong in ["s3://bucket/key?secret", "https://", "h/secret"] {
            let error = resolve(json!({ name: wrong }), &[]).unwrap_err();
            let said = "not a URL that can be used: expected one like https://…";
            assert_eq!(error.0, [format!("{name}: {said}")], "{wrong}");
        }
        let settings = resolve(json!({ name: " https://h/f?X-Sig=abcdef" }), &[]).unwrap();
        let shown = format!("{settings:?} {:?}", settings.shown());
        assert!(!shown.contains("abcdef"), "{shown}");
        assert_eq!(settings.redact("to https://h/f?X-Sig=abcdef"), "to ***");
    }
}

#[test]
fn what_stands_before_the_server_is_told_nobody_else() {
    let url = [("WS_URL", "ws://me:hunter2@h:1")];
    let settings = resolve(json!({ "headers": "X-Gate: gatekeeper" }), &url).unwrap();
    assert_eq!(settings.redact("gatekeeper hunter2"), "*** ***");
    assert!(!format!("{settings:?}").contains("gatekeeper"));
}

#[test]
fn a_token_of_the_wrong_type_is_not_echoed() {
    let error = resolve(json!({"token": 12345}), &[]).unwrap_err();
    assert_eq!(
        error.0,
        ["token (preference) has a value that cannot be used: expected text"]
    );
}
