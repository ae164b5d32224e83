//! Keeping libraries that print from writing between the results.

/// Runs `act` with stdout pointing nowhere. Where that cannot be arranged, `act` runs all the same.
#[cfg(unix)]
pub(super) fn without_stdout<T>(act: impl FnOnce() -> T) -> T {
    let _redirected = Redirected::new().ok();
    act()
}

#[cfg(not(unix))]
pub(super) fn without_stdout<T>(act: impl FnOnce() -> T) -> T {
    act()
}

/// Stdout points nowhere until this is dropped, which a panic does too.
#[cfg(unix)]
struct Redirected {
    stdout: std::os::fd::OwnedFd,
}

#[cfg(unix)]
impl Redirected {
    fn new() -> std::io::Result<Self> {
        use std::io::Write as _;
        use std::os::fd::AsFd as _;
        let nowhere = std::fs::OpenOptions::new().write(true).open("/dev/null")?;
        std::io::stdout().flush()?;
        let stdout = std::io::stdout().as_fd().try_clone_to_owned()?;
        rustix::stdio::dup2_stdout(&nowhere)?;
        Ok(Self { stdout })
    }
}

#[cfg(unix)]
impl Drop for Redirected {
    fn drop(&mut self) {
        use std::io::Write as _;
        // What is still buffered goes where it was meant to go when it was printed.
        let _ = std::io::stdout().flush();
        let _ = rustix::stdio::dup2_stdout(&self.stdout);
    }
}
