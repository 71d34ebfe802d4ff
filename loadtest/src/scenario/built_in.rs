//! Pure. The scenarios that come with the program, from `loadtest/scenarios`.

use super::Scenario;

macro_rules! built_in {
    ($($name:literal,)*) => {
        /// Name and text of each.
        pub const BUILT_IN: &[(&str, &str)] = &[$(($name, include_str!(concat!("../../scenarios/", $name, ".toml"))),)*];
    };
}

built_in! { "quick", "storm", "jitter", "capacity", "chaos", "chaos-group", "chaos-net", "kills", "roll", "group-storm", "soak", "big-room", "town", "crowd", }

/// One of them by name.
pub fn built_in(name: &str) -> Option<Scenario> {
    let (_, text) = BUILT_IN.iter().find(|(known, _)| *known == name)?;
    // A test reads them all.
    Scenario::read(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_in_the_box_is_a_good_one() {
        for (name, text) in BUILT_IN {
            let scenario = Scenario::read(text).unwrap_or_else(|mistakes| panic!("{name}: {}", mistakes[0]));
            assert_eq!(scenario.name, *name);
            assert!(!scenario.about.is_empty(), "{name} says what it shows");
        }
    }

    #[test]
    fn what_is_written_out_is_read_back_the_same() {
        for (name, text) in BUILT_IN {
            let scenario = Scenario::read(text).unwrap();
            assert_eq!(Scenario::read(&scenario.to_toml()).unwrap(), scenario, "{name}");
        }
    }
}
