//! Ctrl-C, and being asked to end, as the wish that the run end in good order.

use tokio::signal::unix::{SignalKind, signal};

use crate::run::Stop;

/// From now on, until the runtime ends. `says_so`: in a line on stderr, where no screen shows it.
pub fn watch(stop: Stop, says_so: bool) {
    for kind in [SignalKind::interrupt(), SignalKind::terminate()] {
        // Without it the signal does what it always did.
        let Ok(mut signal) = signal(kind) else { continue };
        let stop = stop.clone();
        tokio::spawn(async move {
            while signal.recv().await.is_some() {
                if says_so {
                    eprintln!("ending the run; once more to give it up without a report");
                }
                stop.now();
            }
        });
    }
}
