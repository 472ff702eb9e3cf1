//! Who may touch what lies behind a handle: one thread at a time.
//!
//! An atomic exchange for each call would cost as much as half of what the call is for, so on Linux a handle leans to the thread
//! that uses it. That one says that it is inside with a plain store, and looks whether the handle still leans to it with a
//! plain load. Another thread that wants in first says that it leans to nobody, and then has the system make every
//! running thread of this process pass a full barrier (`membarrier`): after that either the first thread sees that it may
//! no longer, or its plain store is seen, and waited for. That is dear, so a handle that is passed about
//! leans to nobody for longer and longer: then the gate itself is taken, with an exchange. On other systems, whose locks cost
//! many times as much, that is the only way.
//!
//! Each time a handle leans to somebody it uses another cell for the plain store, so that a thread that was stopped between
//! its first look and its store never writes into the cell of its successor. When the cells are used up it leans to nobody.

use core::cell::Cell;
use core::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering, compiler_fence};
use std::time::{Duration, Instant};

/// How often a handle can come to lean to a thread.
const CELLS: usize = 16;
const CELL_BITS: u32 = CELLS.trailing_zeros();
const CELL_MASK: u64 = (CELLS as u64).wrapping_sub(1);

/// How long a call waits for another one on the same handle, before it is refused.
const PATIENCE: Duration = Duration::from_secs(1);
/// Looks without a pause, before the processor is given away.
const SPINS: u32 = 200;

/// What a cell holds.
const OUTSIDE: u8 = 0;
const INSIDE: u8 = 1;
/// In a call that may take long: nobody waits for it.
const INSIDE_LONG: u8 = 2;

static NEXT_THREAD: AtomicU64 = AtomicU64::new(1);

/// Of a thread that has not been asked for its number.
const UNNUMBERED: u64 = u64::MAX;

thread_local! {
    static THREAD: Cell<u64> = const { Cell::new(UNNUMBERED) };
}

/// This thread's number: never 0, and never given twice.
#[inline]
pub(crate) fn this_thread() -> u64 {
    match THREAD.get() {
        UNNUMBERED => number_this_thread(),
        number => number,
    }
}

/// The same where it has one already; else a number to which no handle leans.
#[inline(always)]
pub(crate) fn this_thread_if_known() -> u64 {
    THREAD.get()
}

#[cold]
fn number_this_thread() -> u64 {
    let number = NEXT_THREAD.fetch_add(1, Ordering::Relaxed);
    THREAD.set(number);
    number
}

/// Lets one thread in at a time.
#[derive(Debug)]
pub(crate) struct Gate {
    /// The thread that it leans to, and that one's cell in the lowest bits; 0: to nobody.
    leaning: AtomicU64,
    cells: [AtomicU8; CELLS],
    /// The thread that has the gate itself; 0: none.
    owner: AtomicU64,
    /// Whether that one's call may take long.
    owner_long: AtomicBool,
    // What follows is touched by whoever has the gate.
    /// One more than the cell whose thread has not been seen outside since it was told; 0: none.
    awaited: AtomicU8,
    /// How many cells have been used.
    used: AtomicU8,
    /// Who had the gate last, and how often without a break.
    last: AtomicU64,
    streak: AtomicU32,
}

/// Somebody else is inside, for long or for ever.
#[derive(Debug)]
pub(crate) struct Occupied;

/// Shows that whoever has it is inside.
pub(crate) trait Inside {}

/// To be inside through a cell, until it is dropped.
#[derive(Debug)]
pub(crate) struct CellPass<'g>(&'g AtomicU8);

/// To be inside through the gate itself, until it is dropped.
#[derive(Debug)]
pub(crate) struct GatePass<'g> {
    gate: &'g Gate,
    /// What it shall lean to afterwards; 0: to nobody.
    leaning: u64,
}

/// To be inside, until it is dropped.
#[derive(Debug)]
pub(crate) enum Pass<'g> {
    #[expect(dead_code, reason = "held for its drop")]
    Cell(CellPass<'g>),
    #[expect(dead_code, reason = "held for its drop")]
    Gate(GatePass<'g>),
}

impl Inside for CellPass<'_> {}
impl Inside for Pass<'_> {}

impl Gate {
    pub(crate) const fn new() -> Self {
        Self {
            leaning: AtomicU64::new(0),
            cells: [const { AtomicU8::new(OUTSIDE) }; CELLS],
            owner: AtomicU64::new(0),
            owner_long: AtomicBool::new(false),
            awaited: AtomicU8::new(0),
            used: AtomicU8::new(0),
            last: AtomicU64::new(0),
            streak: AtomicU32::new(0),
        }
    }

    /// Goes in where it leans to this thread.
    #[inline(always)]
    pub(crate) fn enter_at_once(&self, thread: u64, long: bool) -> Option<CellPass<'_>> {
        let leaning = self.leaning.load(Ordering::Relaxed);
        if leaning >> CELL_BITS != thread {
            return None;
        }
        self.enter_by_cell(leaning, long)
    }

    /// Goes in; waits for whoever is inside for a short call, and is refused where it may be a long one, or this very thread's
    /// (a signal came in the middle of it).
    #[inline]
    pub(crate) fn enter(&self, thread: u64, long: bool) -> Result<Pass<'_>, Occupied> {
        match self.enter_at_once(thread, long) {
            Some(pass) => Ok(Pass::Cell(pass)),
            None => self.enter_by_gate(thread, long),
        }
    }

    #[inline(always)]
    fn enter_by_cell(&self, leaning: u64, long: bool) -> Option<CellPass<'_>> {
        let index = (leaning & CELL_MASK) as usize;
        let cell = self.cells.get(index)?;
        if cell.load(Ordering::Relaxed) != OUTSIDE {
            return None;
        }
        cell.store(if long { INSIDE_LONG } else { INSIDE }, Ordering::Relaxed);
        // The store before the load, for the compiler; for the processor `barrier` on the other side sees to it.
        compiler_fence(Ordering::SeqCst);
        if self.leaning.load(Ordering::Relaxed) == leaning {
            return Some(CellPass(cell));
        }
        cell.store(OUTSIDE, Ordering::Release);
        None
    }

    #[cfg_attr(target_os = "linux", cold)]
    fn enter_by_gate(&self, thread: u64, long: bool) -> Result<Pass<'_>, Occupied> {
        let mut patience = Patience::default();
        while let Err(owner) = self.owner.compare_exchange(0, thread, Ordering::Acquire, Ordering::Relaxed) {
            if owner == thread || self.owner_long.load(Ordering::Relaxed) || !patience.wait() {
                return Err(Occupied);
            }
        }
        self.owner_long.store(long, Ordering::Relaxed);
        let leaning = self.leaning.load(Ordering::Relaxed);
        if leaning >> CELL_BITS == thread {
            // It leans to this very thread: nobody else is inside, and none comes in without the gate.
            let entered = self.enter_by_cell(leaning, long);
            self.owner.store(0, Ordering::Release);
            return entered.map(Pass::Cell).ok_or(Occupied);
        }
        if leaning != 0 {
            self.leaning.store(0, Ordering::SeqCst);
            let index = u8::try_from(leaning & CELL_MASK).unwrap_or(0);
            if !barrier::all_threads() {
                // Nothing is known of the other thread: as it was.
                self.leaning.store(leaning, Ordering::SeqCst);
                self.owner.store(0, Ordering::Release);
                return Err(Occupied);
            }
            self.awaited.store(index.saturating_add(1), Ordering::Relaxed);
        }
        if let Some(index) = usize::from(self.awaited.load(Ordering::Relaxed)).checked_sub(1) {
            let inside = || self.cells.get(index).map_or(OUTSIDE, |cell| cell.load(Ordering::Acquire));
            loop {
                match inside() {
                    OUTSIDE => break,
                    INSIDE if patience.wait() => {}
                    _ => {
                        self.owner.store(0, Ordering::Release);
                        return Err(Occupied);
                    }
                }
            }
            // What it says from now on it says because it saw too late that it may not: it turns back.
            self.awaited.store(0, Ordering::Relaxed);
        }
        Ok(Pass::Gate(GatePass { gate: self, leaning: self.lean_next(thread) }))
    }

    /// What it shall lean to, now that this thread has the gate.
    fn lean_next(&self, thread: u64) -> u64 {
        if self.last.swap(thread, Ordering::Relaxed) != thread {
            self.streak.store(0, Ordering::Relaxed);
        }
        let streak = self.streak.load(Ordering::Relaxed);
        self.streak.store(streak.saturating_add(1), Ordering::Relaxed);
        let used = self.used.load(Ordering::Relaxed);
        // The first one gets it at once, the next ones when they seem to stay.
        let enough = if used == 0 { 0 } else { 16_u32.checked_shl(used.into()).unwrap_or(u32::MAX) };
        if streak < enough || usize::from(used) >= CELLS || !barrier::is_there() {
            return 0;
        }
        self.used.store(used.saturating_add(1), Ordering::Relaxed);
        (thread << CELL_BITS) | u64::from(used)
    }
}

impl Drop for CellPass<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        self.0.store(OUTSIDE, Ordering::Release);
    }
}

impl Drop for GatePass<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.leaning != 0 {
            self.gate.leaning.store(self.leaning, Ordering::Relaxed);
        }
        self.gate.owner.store(0, Ordering::Release);
    }
}

/// How long somebody has waited.
#[derive(Default)]
struct Patience {
    looks: u32,
    began: Option<Instant>,
}

impl Patience {
    /// Waits a little; `false`: it has been long enough.
    fn wait(&mut self) -> bool {
        self.looks = self.looks.saturating_add(1);
        if self.looks < SPINS {
            core::hint::spin_loop();
            return true;
        }
        if self.began.get_or_insert_with(Instant::now).elapsed() > PATIENCE {
            return false;
        }
        if self.looks < SPINS.saturating_mul(2) {
            std::thread::yield_now();
        } else {
            std::thread::sleep(Duration::from_micros(50));
        }
        true
    }
}

/// A full barrier on every thread of this process.
#[cfg(target_os = "linux")]
mod barrier {
    use core::sync::atomic::{AtomicU8, Ordering};

    use rustix::thread::{MembarrierCommand, membarrier};

    const UNKNOWN: u8 = 0;
    const THERE: u8 = 1;
    const MISSING: u8 = 2;
    static STATE: AtomicU8 = AtomicU8::new(UNKNOWN);

    /// Whether there is one: systems older than Linux 4.14 have none, and a sandbox may refuse it.
    pub(super) fn is_there() -> bool {
        match STATE.load(Ordering::Relaxed) {
            UNKNOWN => {
                let registered = membarrier(MembarrierCommand::RegisterPrivateExpedited).is_ok();
                STATE.store(if registered { THERE } else { MISSING }, Ordering::Relaxed);
                registered
            }
            state => state == THERE,
        }
    }

    /// `false`: it did not take place.
    pub(super) fn all_threads() -> bool {
        let barrier = || membarrier(MembarrierCommand::PrivateExpedited).is_ok();
        // A forked child may have to register anew.
        barrier() || (membarrier(MembarrierCommand::RegisterPrivateExpedited).is_ok() && barrier())
    }
}

#[cfg(not(target_os = "linux"))]
mod barrier {
    pub(super) fn is_there() -> bool {
        false
    }

    pub(super) fn all_threads() -> bool {
        false
    }
}
