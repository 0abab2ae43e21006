//! A document that could not be read once is not damaged: it is read at the next attempt.

use pistol_core::id::DocumentId;
use pistol_core::store::Table;
use pistol_engine::{Command, Effect, Input, Reply, ReplyError};

use super::machine::{Machine, exchange, written};

/// A node's next answer to whoever opens a document.
fn opened(machine: &mut Machine, document: DocumentId) -> Result<Reply, ReplyError> {
    machine.effects.clear();
    machine.command(Command::Open(document));
    let reply = machine.effects.iter().find_map(|effect| match effect {
        Effect::Reply { reply, .. } => Some(reply.clone()),
        _ => None,
    });
    reply.unwrap()
}

#[test]
fn whichever_of_its_reads_fails_a_document_is_opened_then_or_at_the_next_attempt() {
    for (changes, has_snapshot) in [(3, false), (25, true)] {
        let (machine, document) = written(changes);
        assert_eq!(!machine.rows(Table::Snapshots).is_empty(), has_snapshot);
        let text = machine.text(document);
        let mut unread = 0;
        for number in 0.. {
            let mut again = machine.restarted_on(|_| ());
            again.failing_read = Some(number);
            match opened(&mut again, document) {
                Ok(_) => {}
                Err(ReplyError::Unread(reason)) => {
                    assert_eq!(reason, "the disk failed");
                    unread += 1;
                    assert_eq!(opened(&mut again, document), Ok(Reply::Document(document)), "read {number}");
                }
                Err(error) => panic!("read {number}: {error}"),
            }
            assert_eq!(again.text(document), text, "read {number}");
            if again.failing_read.is_some() {
                break;
            }
        }
        assert!(unread > 0, "{changes} changes");
    }
}

#[test]
fn a_document_that_a_peer_asks_for_and_that_could_not_be_read_is_served_when_the_peer_asks_again() {
    let (machine, document) = written(3);
    let mut machine = machine.restarted();
    machine.failing_read = Some(0);
    let mut peer = Machine::new(2);
    peer.join(document, &machine);
    peer.connected(1, &machine, true);
    machine.connected(1, &peer, false);
    exchange(1, &mut peer, &mut machine);
    assert!(machine.engine.documents().look(&document, |_| ()).is_err(), "it could not be read");
    for waited in 0.. {
        assert!(waited < 30, "it is not asked again");
        peer.now_ms += 1000;
        machine.now_ms += 1000;
        peer.join(document, &machine);
        peer.give(Input::Wake);
        exchange(1, &mut peer, &mut machine);
        peer.sync();
        machine.sync();
        if peer.engine.documents().is_open(&document) {
            break;
        }
    }
    exchange(1, &mut peer, &mut machine);
    assert_eq!(peer.text(document), machine.text(document));
}
