//! What this process takes and does, as the system counts it. None where the system does not tell.

use std::fs;

/// The memory that it has now, in MB.
pub(crate) fn resident_mb() -> Option<u64> {
    memory_mb("VmRSS:")
}

/// The most memory that it had, in MB.
pub(crate) fn peak_mb() -> Option<u64> {
    memory_mb("VmHWM:")
}

fn memory_mb(name: &str) -> Option<u64> {
    let kilobytes = field("/proc/self/status", name)?;
    Some(kilobytes / 1000)
}

/// Bytes that it gave the system to write so far.
pub(crate) fn written_bytes() -> Option<u64> {
    field("/proc/self/io", "wchar:")
}

fn field(file: &str, name: &str) -> Option<u64> {
    let text = fs::read_to_string(file).ok()?;
    let value = text.lines().find_map(|line| line.strip_prefix(name))?;
    value.trim().trim_end_matches("kB").trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn linux_tells_of_memory_and_of_what_was_written() {
        // Two readings of a process whose other threads work are not compared: memory comes and goes between them.
        let taken = std::hint::black_box(vec![1_u8; 40_000_000]);
        assert!(resident_mb() > Some(30));
        drop(taken);
        assert!(peak_mb() > Some(30));
        let before = written_bytes().unwrap();
        fs::write(tempfile::NamedTempFile::new().unwrap().path(), [1; 5000]).unwrap();
        assert!(written_bytes().unwrap() >= before + 5000);
    }
}
