//! What the next operation of a run will probably be. Writer and reader keep the same cursor, so only surprises are
//! written down. A wrong guess costs bytes, never correctness.

use crate::change::{Action, Op, Place, Reference};

/// Where a run is writing.
#[derive(Default)]
pub(super) struct Cursor {
    /// The number of the next operation in its chain.
    next: u32,
    /// The last operation's object, the one before it that was another, and the last one made.
    pub(super) object: Option<Reference>,
    other_object: Option<Reference>,
    made: Option<Reference>,
    hand: Option<Hand>,
    /// The bases that numbers are written relative to: the last of each kind.
    pub(super) object_number: u32,
    pub(super) element_number: u32,
    pub(super) pred_number: u32,
}

/// What the author last did in a sequence.
enum Hand {
    /// Added this element, and probably goes on after it.
    Typed(Reference),
    /// Touched elements one after the other, and probably goes on in that direction.
    Swept { first: Reference, last: Reference, is_forward: bool },
}

impl Cursor {
    /// A cursor after an element that was typed just before `first_operation`, in the only object of the skeleton.
    pub(super) fn new(first_operation: u32) -> Self {
        Cursor {
            next: first_operation,
            object: Some(Reference::Skeleton(0)),
            other_object: None,
            made: None,
            hand: first_operation.checked_sub(1).map(|before| Hand::Typed(Reference::Own(before))),
            object_number: first_operation,
            element_number: first_operation,
            pred_number: first_operation,
        }
    }

    /// The objects that are named by a choice alone.
    pub(super) fn objects(&self) -> [Option<Reference>; 3] {
        [self.object, self.made, self.other_object]
    }

    /// The element that a new one probably follows; after deleting, the one before what was deleted.
    pub(super) fn insert_after(&self) -> Option<Reference> {
        match self.hand.as_ref()? {
            Hand::Typed(element) => Some(*element),
            Hand::Swept { first, is_forward: true, .. } => shifted(*first, false),
            Hand::Swept { last, .. } => shifted(*last, false),
        }
    }

    /// The element that is probably deleted or put next.
    pub(super) fn touched_next(&self) -> Option<Reference> {
        match self.hand.as_ref()? {
            Hand::Typed(element) => Some(*element),
            Hand::Swept { last, is_forward, .. } => shifted(*last, *is_forward),
        }
    }

    /// Moves on past an operation.
    pub(super) fn advance(&mut self, op: &Op) {
        let own = Reference::Own(self.next);
        self.next = self.next.wrapping_add(1);
        if op.object != self.object {
            self.other_object = self.object;
            self.object = op.object;
        }
        if let Action::Make(_) = op.action {
            self.made = Some(own);
        }
        match op.place {
            Place::Key(_) => {}
            Place::After(_) => self.hand = Some(Hand::Typed(own)),
            Place::At(element) => self.sweep(element),
        }
        if let Some(Hand::Typed(element) | Hand::Swept { last: element, .. }) = &self.hand {
            self.element_number = number(*element);
        }
    }

    fn sweep(&mut self, element: Reference) {
        let (before, start) = match &self.hand {
            Some(Hand::Swept { first, last, .. }) => (Some(*last), *first),
            Some(Hand::Typed(_)) | None => (None, element),
        };
        let is_forward = before.is_some_and(|last| shifted(last, true) == Some(element));
        self.hand = Some(Hand::Swept { first: if is_forward { start } else { element }, last: element, is_forward });
    }
}

/// The number in a reference.
pub(super) fn number(reference: Reference) -> u32 {
    match reference {
        Reference::Own(number) | Reference::Skeleton(number) | Reference::Entry(_, number) => number,
    }
}

/// The operation before or after one, along the same path.
fn shifted(reference: Reference, is_forward: bool) -> Option<Reference> {
    let shift = |number: u32| {
        if is_forward { number.checked_add(1) } else { number.checked_sub(1) }
    };
    Some(match reference {
        Reference::Own(number) => Reference::Own(shift(number)?),
        Reference::Skeleton(number) => Reference::Skeleton(shift(number)?),
        Reference::Entry(entry, number) => Reference::Entry(entry, shift(number)?),
    })
}

/// The number of a run's first operation, as far as its references tell: each names an earlier operation, and one that
/// names the operation just before it tells all. `ops` are those of the run, in order.
pub(super) fn first_operation<'a>(ops: impl Iterator<Item = &'a Op>) -> u32 {
    let mut first = 0;
    for (place, op) in ops.enumerate() {
        let element = match op.place {
            Place::After(element) => element,
            Place::At(element) => Some(element),
            Place::Key(_) => None,
        };
        let place = u32::try_from(place).unwrap_or(u32::MAX);
        for reference in [op.object, element].into_iter().flatten() {
            if let Reference::Own(number) = reference {
                first = first.max(number.saturating_add(1).saturating_sub(place));
            }
        }
    }
    first
}
