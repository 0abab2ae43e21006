//! The user's editor.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use tokio::process::Command;

use crate::failure::{Exit, Failure};
use crate::import::read_text;

/// A text in a file, for an editor. The file stays until the text is stored or given up.
pub(super) struct Draft {
    path: PathBuf,
    text: String,
}

impl Draft {
    /// Writes the text to a file in the store's folder, which is as private as the document.
    pub(super) fn write(folder: &Path, document: &str, text: &str) -> Result<Self, Failure> {
        let is_plain = |letter: char| letter.is_alphanumeric() || matches!(letter, '.' | '-' | '_');
        let document: String =
            document.chars().take(100).map(|letter| if is_plain(letter) { letter } else { '_' }).collect();
        let path = folder.join(format!("edit-{}-{document}", std::process::id()));
        let written = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path);
        let written = written.and_then(|mut file| file.write_all(text.as_bytes()));
        written.map_err(|error| Failure::io(&format!("write {}", path.display()), &error))?;
        Ok(Draft { path, text: text.to_owned() })
    }

    /// Opens the editor, and returns the text when it is closed.
    pub(super) async fn edited(&self) -> Result<String, Failure> {
        let editor = editor();
        // As other tools do, so that the editor may have arguments: `code --wait`.
        let mut command = Command::new("sh");
        command.arg("-c").arg(format!("{editor} \"$@\"")).arg(&editor).arg(&self.path);
        let status = command.status().await.map_err(|error| Failure::io(&format!("start `{editor}`"), &error))?;
        let text = read_text(&self.path).map_err(|failure| self.kept(failure))?;
        if status.success() {
            return Ok(text);
        }
        let help = "set EDITOR to an editor that works, or use --text or --append";
        let failure = Failure::new(Exit::Failure, format!("the editor `{editor}` failed ({status})"), help);
        if text == self.text {
            self.discard();
            return Err(failure);
        }
        Err(self.kept(failure))
    }

    /// The failure, with word of where the text is.
    pub(super) fn kept(&self, failure: Failure) -> Failure {
        let help = format!("{}; your text is kept in {}", failure.help, self.path.display());
        Failure { help, ..failure }
    }

    /// Removes the file.
    pub(super) fn discard(&self) {
        let _ = fs::remove_file(&self.path);
    }
}

fn editor() -> String {
    let variable = |name| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
    variable("VISUAL").or_else(|| variable("EDITOR")).unwrap_or_else(|| "vi".to_owned())
}
