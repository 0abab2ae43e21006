//! What two nodes say to each other, without IO: time, bytes and randomness are arguments.

pub mod frame;
