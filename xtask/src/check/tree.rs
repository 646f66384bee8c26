//! The files of the work tree.

use std::path::{Path, PathBuf};
use testkit::{Result, workspace};

/// Folders that hold what is built or served, not what is written.
const SKIPPED: [&str; 4] = ["target", "build", "data", ".git"];

/// Every file of the project, as a path from its root, in order.
pub(super) fn files() -> Result<Vec<PathBuf>> {
    let root = workspace();
    let mut files = Vec::new();
    walk(&root, &root, &mut files)?;
    files.sort();
    Ok(files)
}

fn walk(root: &Path, dir: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let entries = std::fs::read_dir(dir).map_err(|e| format!("{}: {e}", dir.display()))?;
    for entry in entries.flatten() {
        let path = entry.path();
        let Ok(relative) = path.strip_prefix(root) else { continue };
        if SKIPPED.iter().any(|skipped| relative == Path::new(skipped)) {
            continue;
        }
        if path.is_dir() {
            if !entry.file_type().is_ok_and(|kind| kind.is_symlink()) {
                walk(root, &path, files)?;
            }
        } else if path.extension().is_none_or(|e| e != "orig") {
            files.push(relative.to_path_buf());
        }
    }
    Ok(())
}

/// The text of a file; `None` when it is not text.
pub(super) fn text(file: &Path) -> Option<String> {
    std::fs::read_to_string(workspace().join(file)).ok()
}

/// Whether the file's name ends in one of the extensions.
pub(super) fn has_extension(file: &Path, extensions: &[&str]) -> bool {
    file.extension().is_some_and(|e| extensions.iter().any(|&known| e == known))
}
