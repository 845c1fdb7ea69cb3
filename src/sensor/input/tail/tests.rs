//! The rotation scenarios, each run with real files: by inotify and by polling, on every file
//! system that is available, with a simulated clock.

mod copies;
mod fates;
mod limits;
mod rotations;
mod stage;
mod states;
mod systems;
mod texts;

use stage::Stage;

/// A scenario by its name.
type Scenario = (&'static str, fn(&mut Stage));

/// Creates a test for each scenario, and lists them.
macro_rules! scenarios {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                super::Stage::everywhere(play::$name);
            }
        )*
        pub(super) const ALL: &[super::Scenario] = &[$((stringify!($name), play::$name)),*];
    };
}
use scenarios;
