//! stub

mod runtime;
