//! Places where a process may die: in ordinary builds nothing at all.
//!
//! Built with `--cfg tdshm_steps`, as the tests build their peer for the kill matrix, a program kills itself
//! (`SIGKILL`) at the step that the environment variable `TDSHM_DIE_AT` names, `NAME` or `NAME:N` for the N-th
//! time it is reached. `TDSHM_STOP_AT` stops it there (`SIGSTOP`), where the system has that.
//!
//! With `TDSHM_SLEEPS_ON` receivers sleep until somebody wakes them, so that a wake-up that is lost stays lost.

/// Marks a step at which a process may die.
macro_rules! step {
    ($name:literal) => {
        #[cfg(tdshm_steps)]
        $crate::step::reach($name);
    };
}
pub(crate) use step;

#[cfg(tdshm_steps)]
pub(crate) fn reach(name: &str) {
    static DIE: Wanted = Wanted::new("TDSHM_DIE_AT");
    static STOP: Wanted = Wanted::new("TDSHM_STOP_AT");
    if DIE.is(name) {
        crate::sys::die();
    }
    if STOP.is(name) {
        crate::sys::stop();
    }
}

/// Whether receivers never look by themselves.
#[cfg(tdshm_steps)]
pub(crate) fn sleeps_on() -> bool {
    std::env::var_os("TDSHM_SLEEPS_ON").is_some()
}

/// A step that the environment names.
#[cfg(tdshm_steps)]
struct Wanted {
    variable: &'static str,
    wanted: std::sync::OnceLock<Option<(String, u64)>>,
    reached: std::sync::atomic::AtomicU64,
}

#[cfg(tdshm_steps)]
impl Wanted {
    const fn new(variable: &'static str) -> Self {
        let reached = std::sync::atomic::AtomicU64::new(0);
        Self { variable, wanted: std::sync::OnceLock::new(), reached }
    }

    /// Whether this is the step, for as many times as were asked for.
    fn is(&self, name: &str) -> bool {
        let wanted = self.wanted.get_or_init(|| {
            let text = std::env::var(self.variable).ok()?;
            // The names of steps hold colons themselves.
            let numbered = text.rsplit_once(':').and_then(|(name, times)| Some((name, times.parse().ok()?)));
            let (name, times) = numbered.unwrap_or((&text, 1));
            Some((name.to_owned(), times))
        });
        let count = || self.reached.fetch_add(1, std::sync::atomic::Ordering::Relaxed).wrapping_add(1);
        wanted.as_ref().is_some_and(|(wanted, times)| wanted == name && count() == *times)
    }
}
