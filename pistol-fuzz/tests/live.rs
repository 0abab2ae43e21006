//! The way in for live typing leads where it should: into transactions as well as walks.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use pistol_fuzz::history::replica::Replica;
use pistol_fuzz::history::stage::Stage;

#[test]
fn at_least_a_third_of_the_changes_in_a_large_text_are_shown_by_transactions() {
    for stage in Stage::large() {
        let mut replica = Replica::new(&stage.genesis).unwrap();
        let mut walks = 0;
        for change in &stage.honest {
            let before = replica.document.walked();
            replica.receive(std::slice::from_ref(change)).unwrap();
            replica.project().unwrap();
            walks += usize::from(replica.document.walked() > before);
        }
        assert!(walks * 3 <= stage.honest.len() * 2, "{walks} walks for {} changes", stage.honest.len());
    }
    assert!(!Stage::large().is_empty());
}
