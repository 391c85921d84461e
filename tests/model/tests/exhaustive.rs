//! Every configuration is searched to the end of its bound: all rules hold, and whatever is worth
//! seeing is seen. `LIFELINE_MODEL_BOUND=1` goes one surprise further.

use lifeline_model::rule::Sight;
use lifeline_model::{configurations, search};

#[test]
#[allow(clippy::print_stdout)] // figures for whoever reads along
fn all_rules_hold_in_every_state_within_the_bound() {
    let more = std::env::var("LIFELINE_MODEL_BOUND").map_or(0, |it| it.parse().expect("a number"));
    let mut unseen: Vec<Sight> = Sight::ALL.to_vec();
    let mut broken = Vec::new();
    for configuration in configurations(more) {
        let name = configuration.name;
        let outcome = search(configuration, false);
        println!("{}", outcome.told());
        unseen.retain(|sight| !outcome.seen.contains(sight));
        if !outcome.complete || !outcome.broken.is_empty() {
            broken.push(name);
        }
    }
    assert!(broken.is_empty(), "{broken:?}: the traces stand above");
    let unseen: Vec<_> = unseen.iter().map(|it| it.text()).collect();
    assert!(unseen.is_empty(), "never seen: {unseen:?}");
}
