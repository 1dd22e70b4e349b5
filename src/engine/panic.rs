//! A panic in a writer, the committer or recovery leaves a state nobody knows: the process aborts.
//!
//! `panic = "abort"` does not reach test binaries, and actix swallows a panic of an actor: hence a
//! hook. Threads that must not panic are marked; a panic elsewhere ends what it ends.

use std::cell::Cell;
use std::panic;
use std::sync::Once;

thread_local! {
    static ABORTS: Cell<bool> = const { Cell::new(false) };
}

static HOOK: Once = Once::new();

/// From now on a panic on this thread aborts the process, after it was reported.
pub(super) fn abort_on_panic_here() {
    HOOK.call_once(|| {
        let report = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            report(info);
            if ABORTS.get() {
                tracing::error!("a panic where the state is changed: the process aborts. {info}");
                std::process::abort();
            }
        }));
    });
    ABORTS.set(true);
}
