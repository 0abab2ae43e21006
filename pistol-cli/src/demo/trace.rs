//! What is typed: a recorded editing history, or one made up from a seed.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use serde::{Deserialize, Serialize};

use crate::failure::{Exit, Failure};

/// Where a recorded history may lie beside the workspace.
const BESIDE: &str = "../shared/traces/automerge-paper.json.gz";
/// The most bytes of a history that are read, inflated.
const TRACE_BYTES_MAX: u64 = 256 << 20;

/// One keystroke, or one cut or paste: some code points give way to others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stroke {
    /// Where, in code points.
    pub(super) at: usize,
    /// How many code points are removed.
    pub(super) removed: usize,
    /// What is put there.
    pub(super) added: String,
}

/// An editing history.
#[derive(Clone, Debug)]
pub(super) struct Trace {
    /// What to call it.
    pub(super) name: String,
    /// What is typed, in order, beginning with an empty text.
    pub(super) strokes: Vec<Stroke>,
    /// What the text must be after all of it, as the recording says.
    pub(super) end: Option<String>,
}

/// The recorded form, as in github.com/josephg/editing-traces.
#[derive(Deserialize)]
struct Recording {
    #[serde(rename = "startContent")]
    start: String,
    #[serde(rename = "endContent")]
    end: String,
    txns: Vec<Transaction>,
}

#[derive(Deserialize)]
struct Transaction {
    patches: Vec<(usize, usize, String)>,
}

impl Trace {
    /// The history that the user named, or the one that lies beside the workspace.
    pub(super) fn find(named: Option<&Path>) -> Result<Option<Self>, Failure> {
        let beside = || Some(PathBuf::from(BESIDE)).filter(|path| path.is_file());
        named.map(Path::to_owned).or_else(beside).map(|path| Trace::read(&path)).transpose()
    }

    fn read(path: &Path) -> Result<Self, Failure> {
        let text = inflate(path).map_err(|error| Failure::io(&format!("read `{}`", path.display()), &error))?;
        let recording: Recording = serde_json::from_slice(&text).map_err(|error| {
            let message = format!("`{}` is no editing history: {error}", path.display());
            Failure::new(Exit::Failure, message, "take one from github.com/josephg/editing-traces")
        })?;
        let start = Stroke { at: 0, removed: 0, added: recording.start };
        let patches = recording.txns.into_iter().flat_map(|transaction| transaction.patches);
        let patches = patches.map(|(at, removed, added)| Stroke { at, removed, added });
        let is_any = |stroke: &Stroke| stroke.removed > 0 || !stroke.added.is_empty();
        let strokes = std::iter::once(start).chain(patches).filter(is_any).collect();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Ok(Trace { name, strokes, end: Some(recording.end) })
    }

    /// A history that nobody typed.
    pub(super) fn generated(strokes: usize) -> Self {
        let strokes = Typist::new(1, "abcdefghijklmnopqrstuvwxyz   ,.äß€\n").take(strokes).collect();
        Trace { name: "generated".to_owned(), strokes, end: None }
    }
}

fn inflate(path: &Path) -> io::Result<Vec<u8>> {
    let file = BufReader::new(File::open(path)?);
    let is_gzip = path.extension().is_some_and(|extension| extension == "gz");
    let source: Box<dyn Read> = if is_gzip { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };
    let mut text = Vec::new();
    source.take(TRACE_BYTES_MAX).read_to_end(&mut text)?;
    Ok(text)
}

/// Somebody who types for ever, the same for the same seed: mostly on, now and then somewhere else, and with mistakes.
pub(super) struct Typist {
    state: u64,
    letters: Vec<char>,
    length: usize,
    cursor: usize,
}

impl Typist {
    pub(super) fn new(seed: u64, letters: &str) -> Self {
        Typist { state: seed, letters: letters.chars().collect(), length: 0, cursor: 0 }
    }

    /// A number below a limit, by `SplitMix64` (Steele, Lea, Flood 2014).
    fn below(&mut self, limit: usize) -> usize {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut number = self.state;
        number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let limit = u64::try_from(limit.max(1)).unwrap_or(1);
        usize::try_from((number ^ (number >> 31)) % limit).unwrap_or(0)
    }
}

impl Iterator for Typist {
    type Item = Stroke;

    fn next(&mut self) -> Option<Stroke> {
        if self.below(40) == 0 {
            self.cursor = self.below(self.length + 1);
        }
        if self.cursor > 0 && self.below(4) == 0 {
            (self.cursor, self.length) = (self.cursor - 1, self.length - 1);
            return Some(Stroke { at: self.cursor, removed: 1, added: String::new() });
        }
        let chosen = self.below(self.letters.len());
        let added = self.letters.get(chosen)?.to_string();
        let stroke = Stroke { at: self.cursor, removed: 0, added };
        (self.cursor, self.length) = (self.cursor + 1, self.length + 1);
        Some(stroke)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};

    use super::*;
    use crate::demo::replay::Replay;

    #[test]
    fn a_recorded_history_is_read_plain_and_gzipped() {
        let folder = tempfile::tempdir().unwrap();
        let text = r#"{"startContent":"ab","endContent":"aéb","txns":[{"time":"","patches":[[1,0,"é"],[0,0,""]]}]}"#;
        let (plain, gzipped) = (folder.path().join("t.json"), folder.path().join("t.json.gz"));
        std::fs::write(&plain, text).unwrap();
        let mut encoder = GzEncoder::new(File::create(&gzipped).unwrap(), Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap();
        for path in [plain, gzipped] {
            let trace = Trace::read(&path).unwrap();
            assert_eq!(trace.strokes.len(), 2);
            assert_eq!(Replay::of(&trace.strokes).text(), trace.end.unwrap());
        }
    }

    #[test]
    fn what_is_no_history_is_refused_in_words() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("t.gz"), "no gzip").unwrap();
        std::fs::write(folder.path().join("t.json"), "{}").unwrap();
        for (name, code) in [("t.gz", 1), ("t.json", 1), ("missing", 3)] {
            assert_eq!(Trace::read(&folder.path().join(name)).unwrap_err().code, code);
        }
    }

    #[test]
    fn a_typist_deletes_stays_inside_the_text_and_types_the_same_again() {
        let typed = || Typist::new(7, "ab").take(5000).collect::<Vec<_>>();
        assert_eq!(typed(), typed());
        assert!(typed().iter().filter(|stroke| stroke.removed > 0).count() > 500);
        assert!(Replay::of(&typed()).is_sound());
    }
}
