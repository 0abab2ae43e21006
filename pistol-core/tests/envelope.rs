//! The bytes of envelopes.

#[path = "envelope/desk.rs"]
mod desk;

use desk::any_envelope;
use pistol_core::envelope::Envelope;
use pistol_core::key::Verifier;

#[test]
fn every_envelope_survives_being_written_and_read() {
    for seed in 0..500 {
        let envelope = any_envelope(seed);
        let read = Envelope::from_bytes(&envelope.to_bytes());
        assert_eq!(read.as_ref(), Ok(&envelope), "seed {seed}");
    }
}

#[test]
fn what_was_read_is_as_well_signed_as_what_was_written() {
    let mut verifier = Verifier::default();
    for seed in 0..20 {
        let read = Envelope::from_bytes(&any_envelope(seed).to_bytes()).unwrap();
        assert!(read.verify(&mut verifier).is_ok(), "seed {seed}");
    }
}
