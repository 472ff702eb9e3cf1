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
//!
//! The gate is made of whatever [`System`] has, because the model checker brings its own (`gate/model.rs`).

#[cfg(all(test, unix))]
#[allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test that overflows has failed"
)]
mod model;
mod system;

use core::fmt;
use core::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};

pub(crate) use self::system::Real;

/// How often a handle can come to lean to a thread.
const CELLS: usize = 16;
const CELL_BITS: u32 = CELLS.trailing_zeros();
const CELL_MASK: u64 = (CELLS as u64).wrapping_sub(1);

/// What a cell holds.
const OUTSIDE: u8 = 0;
const INSIDE: u8 = 1;
/// In a call that may take long: nobody waits for it.
const INSIDE_LONG: u8 = 2;

/// A number that threads share.
pub(crate) trait Shared<N>: fmt::Debug {
    fn load(&self, order: Ordering) -> N;
    fn store(&self, number: N, order: Ordering);
    /// From 0 to that number; an error gives the number that was there.
    fn claim(&self, number: N) -> Result<(), N>;
}

/// What the gate asks of the machine.
pub(crate) trait System: fmt::Debug {
    type Byte: Shared<u8>;
    type Word: Shared<u64>;
    type Patience: Patience;
    /// How often in a row a thread has the gate before a handle that leant to somebody leans to it.
    const STREAK: u32;

    /// Orders a store before a load of this thread, for whoever calls `heavy`: the compiler has to keep that order, the
    /// processor need not.
    fn light(&self, thread: u64);
    /// A full barrier on every thread; `false`: it did not take place.
    fn heavy(&self) -> bool;
    /// Whether there is such a barrier.
    fn has_heavy(&self) -> bool;
}

/// How long somebody has waited.
pub(crate) trait Patience: Default {
    /// Waits a little; `false`: it has been long enough.
    fn wait(&mut self) -> bool;
}

/// Lets one thread in at a time.
#[derive(Debug)]
pub(crate) struct Gate<S: System = Real> {
    system: S,
    /// The thread that it leans to, and that one's cell in the lowest bits; 0: to nobody.
    leaning: S::Word,
    cells: [S::Byte; CELLS],
    /// Twice the number of the thread that has the gate itself, and one more once its call may take long; 0: none.
    owner: S::Word,
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
pub(crate) trait Inside {
    /// Says that this call may take long from here on: nobody waits for it any more.
    fn lengthen(&self);
}

/// To be inside through a cell, until it is dropped.
#[derive(Debug)]
pub(crate) struct CellPass<'g, S: System = Real>(&'g S::Byte);

/// To be inside through the gate itself, until it is dropped.
#[derive(Debug)]
pub(crate) struct GatePass<'g, S: System = Real> {
    gate: &'g Gate<S>,
    /// What it shall lean to afterwards; 0: to nobody.
    leaning: u64,
}

/// To be inside, until it is dropped.
#[derive(Debug)]
pub(crate) enum Pass<'g, S: System = Real> {
    Cell(CellPass<'g, S>),
    Gate(GatePass<'g, S>),
}

impl<S: System> Inside for CellPass<'_, S> {
    fn lengthen(&self) {
        self.0.store(INSIDE_LONG, Ordering::Relaxed);
    }
}

impl<S: System> Inside for GatePass<'_, S> {
    fn lengthen(&self) {
        // Nobody else writes to it while it has an owner.
        let owner = self.gate.owner.load(Ordering::Relaxed);
        self.gate.owner.store(owner | 1, Ordering::Relaxed);
    }
}

impl<S: System> Inside for Pass<'_, S> {
    fn lengthen(&self) {
        match self {
            Self::Cell(pass) => pass.lengthen(),
            Self::Gate(pass) => pass.lengthen(),
        }
    }
}

impl Gate {
    pub(crate) const fn new() -> Self {
        Self {
            system: Real,
            leaning: AtomicU64::new(0),
            cells: [const { AtomicU8::new(OUTSIDE) }; CELLS],
            owner: AtomicU64::new(0),
            awaited: AtomicU8::new(0),
            used: AtomicU8::new(0),
            last: AtomicU64::new(0),
            streak: AtomicU32::new(0),
        }
    }
}

impl<S: System> Gate<S> {
    /// Goes in where it leans to this thread.
    #[inline(always)]
    pub(crate) fn enter_at_once(&self, thread: u64) -> Option<CellPass<'_, S>> {
        let leaning = self.leaning.load(Ordering::Relaxed);
        if leaning >> CELL_BITS != thread {
            return None;
        }
        self.enter_by_cell(leaning)
    }

    /// Goes in; waits for whoever is inside for a short call, and is refused where it may be a long one, or this very thread's
    /// (a signal came in the middle of it).
    #[inline]
    pub(crate) fn enter(&self, thread: u64) -> Result<Pass<'_, S>, Occupied> {
        match self.enter_at_once(thread) {
            Some(pass) => Ok(Pass::Cell(pass)),
            None => self.enter_by_gate(thread),
        }
    }

    #[inline(always)]
    fn enter_by_cell(&self, leaning: u64) -> Option<CellPass<'_, S>> {
        let index = (leaning & CELL_MASK) as usize;
        let cell = self.cells.get(index)?;
        if cell.load(Ordering::Relaxed) != OUTSIDE {
            return None;
        }
        cell.store(INSIDE, Ordering::Relaxed);
        // The store before the load: the other side's `heavy` sees to it.
        self.system.light(leaning >> CELL_BITS);
        if self.leaning.load(Ordering::Relaxed) == leaning {
            return Some(CellPass(cell));
        }
        cell.store(OUTSIDE, Ordering::Release);
        None
    }

    #[cfg_attr(target_os = "linux", cold)]
    fn enter_by_gate(&self, thread: u64) -> Result<Pass<'_, S>, Occupied> {
        let mut patience = S::Patience::default();
        while let Err(owner) = self.owner.claim(thread << 1) {
            if owner >> 1 == thread || owner & 1 == 1 || !patience.wait() {
                return Err(Occupied);
            }
        }
        let leaning = self.leaning.load(Ordering::Relaxed);
        if leaning >> CELL_BITS == thread {
            // It leans to this very thread: nobody else is inside, and none comes in without the gate.
            let entered = self.enter_by_cell(leaning);
            self.owner.store(0, Ordering::Release);
            return entered.map(Pass::Cell).ok_or(Occupied);
        }
        if leaning != 0 {
            self.leaning.store(0, Ordering::SeqCst);
            let index = u8::try_from(leaning & CELL_MASK).unwrap_or(0);
            if !self.system.heavy() {
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
        let enough = if used == 0 { 0 } else { S::STREAK.checked_shl(used.into()).unwrap_or(u32::MAX) };
        if streak < enough || usize::from(used) >= CELLS || !self.system.has_heavy() {
            return 0;
        }
        self.used.store(used.saturating_add(1), Ordering::Relaxed);
        (thread << CELL_BITS) | u64::from(used)
    }
}

impl<S: System> Drop for CellPass<'_, S> {
    #[inline(always)]
    fn drop(&mut self) {
        self.0.store(OUTSIDE, Ordering::Release);
    }
}

impl<S: System> Drop for GatePass<'_, S> {
    #[inline]
    fn drop(&mut self) {
        if self.leaning != 0 {
            self.gate.leaning.store(self.leaning, Ordering::Relaxed);
        }
        self.gate.owner.store(0, Ordering::Release);
    }
}
