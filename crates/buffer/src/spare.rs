//! Space on disk that rollback, recovery and checkpoints alone may use (storage rule 14).
//!
//! A file that is only there to be removed. While it is not whole, those who want to grow a file for
//! themselves make it whole first, and fail with 53100 when that does not work.

use base::Result;
use disk::Disk;
use parking_lot::Mutex;

/// Its name in the data directory.
const PATH: &str = "global/spare";

#[derive(Default)]
pub(crate) struct Spare(Mutex<State>);

#[derive(Default)]
struct State {
    /// How large it is to be; 0: there is none.
    bytes: u64,
    whole: bool,
}

impl Spare {
    /// From now on there is one of so many bytes: the one on disk, or one that is made by the first
    /// who grows a file.
    pub(crate) fn keep(&self, disk: &dyn Disk, bytes: u64) -> Result<()> {
        let mut state = self.0.lock();
        state.bytes = bytes;
        state.whole = disk.exists(PATH)? && disk.open(PATH)?.len()? >= bytes;
        Ok(())
    }

    /// Makes it whole, if it is not.
    pub(crate) fn make_whole(&self, disk: &dyn Disk) -> Result<()> {
        make_whole(disk, &mut self.0.lock())
    }

    /// Gives the space free; false when that was done before.
    pub(crate) fn spend(&self, disk: &dyn Disk) -> Result<bool> {
        let mut state = self.0.lock();
        state.whole = false;
        if state.bytes == 0 || !disk.exists(PATH)? {
            return Ok(false);
        }
        disk.remove(PATH).map(|()| true)
    }

    /// Gives a part of the space free, too little for what grows by itself; false when there is
    /// nothing to give.
    pub(crate) fn spend_some(&self, disk: &dyn Disk, bytes: u64) -> Result<bool> {
        let mut state = self.0.lock();
        if state.bytes == 0 || !disk.exists(PATH)? {
            return Ok(false);
        }
        state.whole = false;
        let file = disk.open(PATH)?;
        let left = file.len()?;
        file.set_len(left.saturating_sub(bytes))?;
        Ok(left > 0)
    }
}

fn make_whole(disk: &dyn Disk, state: &mut State) -> Result<()> {
    if state.whole || state.bytes == 0 {
        return Ok(());
    }
    let file = if disk.exists(PATH)? { disk.open(PATH)? } else { disk.create(PATH)? };
    if let Err(error) = file.allocate(state.bytes) {
        drop(file);
        disk.remove(PATH)?;
        return Err(error);
    }
    state.whole = true;
    Ok(())
}
