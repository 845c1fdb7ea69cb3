//! Reading that can be stopped from outside: after a [`Halt`], the input reads as ended.

use crate::sensor::halt::Halt;
use std::fs::File;
use std::io::{self, ErrorKind, Read};

/// A pipe or a device that is read until its end or the halt.
#[derive(Debug)]
pub(super) struct Halting {
    pub(super) file: File,
    pub(super) halt: Halt,
}

impl Read for Halting {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let is_ready = self.halt.wait_to_read(&self.file)?;
            if self.halt.is_set() {
                return Ok(0);
            }
            if !is_ready {
                continue;
            }
            match self.file.read(buffer) {
                // Another reader was faster, or made the descriptor non-blocking.
                Err(error) if error.kind() == ErrorKind::WouldBlock && self.halt.is_possible() => {}
                outcome => return outcome,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;

    #[test]
    fn a_read_that_waits_is_ended() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let (halt, stopper) = Halt::new().unwrap();
        let mut reader = Halting { file: File::from(OwnedFd::from(ours)), halt: halt.clone() };
        io::Write::write_all(&mut &theirs, b"abc").unwrap();
        let mut buffer = [0; 8];
        assert_eq!(reader.read(&mut buffer).unwrap(), 3);
        std::thread::scope(|scope| {
            let end = || {
                std::thread::sleep(std::time::Duration::from_millis(20));
                stopper.stop();
            };
            std::thread::Builder::new().spawn_scoped(scope, end).unwrap();
            assert_eq!(reader.read(&mut buffer).unwrap(), 0);
        });
        assert!(halt.is_set());
        // It stays ended, whatever arrives.
        io::Write::write_all(&mut &theirs, b"abc").unwrap();
        assert_eq!(reader.read(&mut buffer).unwrap(), 0);
        assert!(!Halt::default().is_set());
    }
}
