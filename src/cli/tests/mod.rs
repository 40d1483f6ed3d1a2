//! Verbs from their arguments to what they write, over a CRI server in this process and over real ones.

use std::{
    io,
    sync::{Arc, Mutex},
};

use super::output::Out;

#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Streams that are kept, and what has been written to them.
pub fn capture(width: Option<usize>) -> (Out, impl Fn() -> String, impl Fn() -> String) {
    let (sink, errors) = (Sink::default(), Sink::default());
    let read = |sink: &Sink| {
        let sink = sink.clone();
        move || String::from_utf8_lossy(&sink.0.lock().unwrap()).into_owned()
    };
    let (text, said) = (read(&sink), read(&errors));
    (Out::new(Box::new(sink), Box::new(errors), width), text, said)
}
