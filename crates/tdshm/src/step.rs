//! Places where a process may die: in ordinary builds nothing at all.
//!
//! Built with `--cfg tdshm_steps`, as the tests build their peer for the kill matrix, a program kills itself
//! (`SIGKILL`) at the step that the environment variable `TDSHM_DIE_AT` names, `NAME` or `NAME:N` for the N-th
//! time it is reached.

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
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    static WANTED: OnceLock<Option<(String, u64)>> = OnceLock::new();
    static REACHED: AtomicU64 = AtomicU64::new(0);
    let wanted = WANTED.get_or_init(|| {
        let text = std::env::var("TDSHM_DIE_AT").ok()?;
        // The names of steps hold colons themselves.
        let numbered = text.rsplit_once(':').and_then(|(name, times)| Some((name, times.parse().ok()?)));
        let (name, times) = numbered.unwrap_or((&text, 1));
        Some((name.to_owned(), times))
    });
    if let Some((wanted, times)) = wanted
        && wanted == name
        && REACHED.fetch_add(1, Ordering::Relaxed).wrapping_add(1) == *times
    {
        crate::sys::die();
    }
}
