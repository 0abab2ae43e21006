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
    /// Where another run's author wrote just before, until this one goes on.
    other_hand: Option<Hand>,
    /// Which of both hands the author went on from the last time that it made a difference.
    is_following: Following,
    /// The bases that numbers are written relative to: the last of each kind.
    pub(super) object_number: u32,
    pub(super) pred_number: u32,
}

/// Whether an author goes on from where another one wrote: while typing, after sweeping; inserting, touching.
type Following = [[bool; 2]; 2];

/// What an author last did in a sequence.
#[derive(Clone, Copy)]
pub(super) enum Hand {
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
            other_hand: None,
            is_following: Following::default(),
            object_number: first_operation,
            pred_number: first_operation,
        }
    }

    /// The objects that are named by a choice alone.
    pub(super) fn objects(&self) -> [Option<Reference>; 3] {
        [self.object, self.made, self.other_object]
    }

    /// The next operation.
    pub(super) fn own(&self) -> Reference {
        Reference::Own(self.next)
    }

    /// Where the author last wrote, in this run's words.
    pub(super) fn hand(&self) -> Option<Hand> {
        self.hand
    }

    /// Begins a change just after another author wrote somewhere.
    pub(super) fn begin(&mut self, other_hand: Option<Hand>) {
        self.other_hand = other_hand;
    }

    /// The elements that are probably meant, the likeliest first: what a new one follows, or what is touched next.
    pub(super) fn guesses(&mut self, is_insert: bool) -> [Option<Reference>; 2] {
        let guess = |hand: Option<Hand>| hand.and_then(|hand| hand.guess(is_insert));
        let (own, other) = (guess(self.hand), guess(self.other_hand));
        if *self.is_following(is_insert) && other.is_some() { [other, own] } else { [own, other] }
    }

    /// Notes that the less likely guess was right.
    pub(super) fn turn(&mut self, is_insert: bool) {
        let is_following = self.is_following(is_insert);
        *is_following = !*is_following;
    }

    fn is_following(&mut self, is_insert: bool) -> &mut bool {
        let [typing, swept] = &mut self.is_following;
        let [touching, inserting] = if matches!(self.hand, Some(Hand::Swept { .. })) { swept } else { typing };
        if is_insert { inserting } else { touching }
    }

    /// Moves on past an operation.
    pub(super) fn advance(&mut self, op: &Op) {
        let own = self.own();
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
        if !matches!(op.place, Place::Key(_)) {
            self.other_hand = None;
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

impl Hand {
    /// The element that a new one probably follows; after deleting, the one before what was deleted. Or that which is
    /// probably deleted or put next.
    fn guess(self, is_insert: bool) -> Option<Reference> {
        match self {
            Hand::Typed(element) => Some(element),
            Hand::Swept { first, is_forward: true, .. } if is_insert => shifted(first, false),
            Hand::Swept { last, is_forward, .. } => shifted(last, is_forward && !is_insert),
        }
    }

    /// The same hand in the words of another run.
    pub(super) fn reworded(self, reword: impl Fn(Reference) -> Reference) -> Hand {
        match self {
            Hand::Typed(element) => Hand::Typed(reword(element)),
            Hand::Swept { first, last, is_forward } => {
                Hand::Swept { first: reword(first), last: reword(last), is_forward }
            }
        }
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
