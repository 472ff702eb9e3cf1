//! What the benchmarks share: pairs that are measured in turn, so that a machine that slows down slows both.
//!
//! A figure is a ratio of two medians of one run. Absolute times are printed beside it for orientation, and
//! mean nothing on another machine.

use std::hint::black_box;
use std::time::{Duration, Instant};

pub mod baseline;
pub mod duo;
#[cfg(feature = "peers")]
pub mod peers;
pub mod system;

/// Times `baseline` and `subject` in turn, `pairs` times, `rounds` calls each, and prints a row.
///
/// Returns the median of the ratios of the pairs: time of `subject` over time of `baseline`.
pub fn pairs(
    name: &str,
    pairs: usize,
    rounds: u32,
    mut baseline: impl FnMut(),
    mut subject: impl FnMut(),
) -> f64 {
    let baseline: &mut dyn FnMut() = &mut baseline;
    let subject: &mut dyn FnMut() = &mut subject;
    pairs_of_times(
        name,
        pairs,
        rounds,
        |rounds| timed(rounds, &mut *baseline),
        |rounds| timed(rounds, &mut *subject),
    )
}

/// As [`pairs`], of work that says itself how long so many calls of it took: in another program, say.
pub fn pairs_of_times(
    name: &str,
    pairs: usize,
    rounds: u32,
    mut baseline: impl FnMut(u32) -> Duration,
    mut subject: impl FnMut(u32) -> Duration,
) -> f64 {
    let rounds = enough(rounds, baseline(rounds).max(subject(rounds)));
    let times: Vec<_> = (0..pairs).map(|_| (baseline(rounds), subject(rounds))).collect();
    let ratio = median(times.iter().map(|(b, s)| s.as_secs_f64() / b.as_secs_f64()).collect());
    let each = |d: Vec<Duration>| median(d.iter().map(Duration::as_secs_f64).collect()) / f64::from(rounds);
    let (b, s) = (each(times.iter().map(|t| t.0).collect()), each(times.iter().map(|t| t.1).collect()));
    row(name, &format!("{} against {}: ratio {ratio:.2}", show(s), show(b)));
    ratio
}

/// How long so many calls take.
pub fn timed(rounds: u32, mut work: impl FnMut()) -> Duration {
    let begin = Instant::now();
    for _ in 0..rounds {
        work();
    }
    black_box(begin.elapsed())
}

/// The middle of `repeats` times that a call takes, in seconds: of `rounds` calls each.
pub fn each(repeats: usize, rounds: u32, mut work: impl FnMut()) -> f64 {
    let rounds = enough(rounds, timed(rounds, &mut work));
    median((0..repeats).map(|_| timed(rounds, &mut work).as_secs_f64() / f64::from(rounds)).collect())
}

/// As many rounds as are measured in one piece, of which `rounds` took so long: fewer, where a call takes far longer than
/// usual, as it does where a lock is a call to a server.
fn enough(rounds: u32, took: Duration) -> u32 {
    const PIECE: Duration = Duration::from_millis(50);
    if took <= PIECE {
        return rounds;
    }
    ((f64::from(rounds) * PIECE.as_secs_f64() / took.as_secs_f64()) as u32).clamp(1, rounds.max(1))
}

/// The middle of some numbers; 0 of none.
#[must_use]
pub fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(0.0)
}

/// The middle of some times, and the least and the greatest.
#[must_use]
pub fn spread(numbers: &[f64]) -> String {
    let least = numbers.iter().copied().fold(f64::INFINITY, f64::min);
    let greatest = numbers.iter().copied().fold(0.0, f64::max);
    format!("{} ({} to {})", show(median(numbers.to_vec())), show(least), show(greatest))
}

/// A time in the unit that suits it.
#[must_use]
pub fn show(seconds: f64) -> String {
    match seconds {
        s if s < 1e-6 => format!("{:.1} ns", s * 1e9),
        s if s < 1e-3 => format!("{:.2} µs", s * 1e6),
        s => format!("{:.2} ms", s * 1e3),
    }
}

/// Prints one row of the report.
#[expect(clippy::print_stdout, reason = "the report is what a benchmark is for")]
pub fn row(name: &str, text: &str) {
    println!("{name:<44} {text}");
}

/// Prints how a figure stands against its goal.
pub fn goal(name: &str, met: bool, text: &str) {
    row(name, &format!("{} {text}", if met { "met:   " } else { "MISSED:" }));
}

/// A short name that no other run uses.
#[must_use]
pub fn unique(name: &str) -> String {
    format!("bench{}{name}", std::process::id())
}

/// Removes what a segment leaves behind on purpose: its two locks.
pub fn tidy(name: &str) {
    // Where they stay all the same, they are in nobody's way.
    let _ = tdshm::clean(&[name], tdshm::DryRun::No);
}
