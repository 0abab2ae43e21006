//! Several nodes, each pair on a connection of its own: its name, who dialled, and who was dialled.

use pistol_engine::Input;

use crate::machine::{Machine, exchange};

pub type Wire = (u64, usize, usize);

pub fn connect(machines: &mut [Machine], (connection, one, other): Wire) {
    let [one, other] = machines.get_disjoint_mut([one, other]).unwrap();
    one.connected(connection, other, true);
    other.connected(connection, one, false);
}

pub fn part(machines: &mut [Machine], (connection, one, other): Wire) {
    for at in [one, other] {
        machines[at].give(Input::Disconnected { connection, reason: String::new() });
    }
}

/// Carries everything between nodes, each pair on its connection, and to their disks, until nothing moves.
pub fn settle(machines: &mut [Machine], wires: &[Wire]) {
    loop {
        machines.iter_mut().for_each(Machine::sync);
        let mut is_any_sent = false;
        for (connection, one, other) in wires {
            let [one, other] = machines.get_disjoint_mut([*one, *other]).unwrap();
            is_any_sent |= !exchange(*connection, one, other).is_empty();
        }
        if !is_any_sent {
            return;
        }
    }
}
