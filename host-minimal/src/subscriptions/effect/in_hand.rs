//! Which event each lane has in hand, in a file beside the effect's database.
//!
//! A handler that takes the host down with it must not do so again and again without a pause, so
//! a start counts what was in hand as an attempt. Noting that for each event in the database
//! would cost a second transaction and wait for the handlers that hold its write lock; a write of
//! eight bytes to a file does neither. The file is not synced: it outlives the process, which is what
//! counts. After a power cut an attempt may be missing.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::lanes::LANES;

const SLOT_BYTES: usize = size_of::<u64>();

/// The file; a lane has a slot of eight bytes with a position, or 0.
#[derive(Debug)]
pub(super) struct InHand {
    file: File,
}

impl InHand {
    /// Opens the file and empties it; the positions that were in hand.
    pub(super) fn open(path: &Path) -> io::Result<(Self, Vec<u64>)> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        let mut slots = [0; LANES * SLOT_BYTES];
        let read = read_up_to(&file, &mut slots)?;
        let positions = slots[..read]
            .as_chunks::<SLOT_BYTES>()
            .0
            .iter()
            .map(|slot| u64::from_le_bytes(*slot))
            .filter(|position| *position != 0)
            .collect();
        let this = Self { file };
        this.clear()?;
        Ok((this, positions))
    }

    /// The lane begins with an event.
    pub(super) fn take(&self, lane: usize, position: u64) -> io::Result<()> {
        let offset = (lane * SLOT_BYTES) as u64;
        self.file.write_all_at(&position.to_le_bytes(), offset)
    }

    /// The lane's attempt has ended. After a success there is no need to say so.
    pub(super) fn put_down(&self, lane: usize) -> io::Result<()> {
        self.take(lane, 0)
    }

    /// No lane has anything in hand.
    pub(super) fn clear(&self) -> io::Result<()> {
        self.file.write_all_at(&[0; LANES * SLOT_BYTES], 0)
    }
}

fn read_up_to(file: &File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut read = 0;
    loop {
        match file.read_at(&mut buffer[read..], read as u64) {
            Ok(0) => return Ok(read),
            Ok(more) => read += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_hand_is_found_by_the_next_start_and_by_no_other() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("relay.lanes");
        let (in_hand, found) = InHand::open(&path).unwrap();
        assert!(found.is_empty());
        in_hand.take(0, 7).unwrap();
        in_hand.take(LANES - 1, u64::MAX).unwrap();
        in_hand.take(3, 5).unwrap();
        in_hand.put_down(3).unwrap();
        assert_eq!(InHand::open(&path).unwrap().1, [7, u64::MAX]);
        assert!(InHand::open(&path).unwrap().1.is_empty());
    }

    #[test]
    fn a_file_of_another_length_is_read_as_far_as_it_goes() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("relay.lanes");
        std::fs::write(&path, [9, 0, 0, 0, 0, 0, 0, 0, 1, 1]).unwrap();
        assert_eq!(InHand::open(&path).unwrap().1, [9]);
        std::fs::write(&path, vec![0xff; 1_000]).unwrap();
        assert_eq!(InHand::open(&path).unwrap().1.len(), LANES);
    }
}
