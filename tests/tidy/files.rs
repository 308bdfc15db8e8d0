//! Every file says what it holds, stays short, keeps causes, and every crate takes the lints.

use std::fs;
use std::path::{Path, PathBuf};

use paywatch_tests::tools::root;

/// Longer than this, a file holds more than one thing.
const LONGEST: usize = 450;

fn files(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(folder).expect("a folder can be read");
    for entry in entries {
        let path = entry.expect("an entry can be read").path();
        let name = path
            .file_name()
            .expect("an entry has a name")
            .to_string_lossy()
            .into_owned();
        let is_skipped =
            ["target", "node_modules", "out", "cache", "artifacts"].contains(&name.as_str());
        if path.is_dir() && !is_skipped && !name.starts_with('.') {
            files(&path, ending, found);
        } else if name.ends_with(ending) {
            found.push(path);
        }
    }
}

fn all(ending: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    files(&root(), ending, &mut found);
    assert!(!found.is_empty(), "there are {ending} files");
    found
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path).expect("a source file is text");
            (path, text)
        })
        .collect()
}

fn nothing_is_wrong(wrong: &[String]) {
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_rust_file_says_what_it_holds() {
    let wrong: Vec<_> = all(".rs")
        .into_iter()
        .filter(|(_, text)| !text.starts_with("//!"))
        .map(|(path, _)| format!("{} does not begin with //!", path.display()))
        .collect();
    nothing_is_wrong(&wrong);
}

#[test]
fn files_stay_short() {
    let wrong: Vec<_> = [".rs", ".sol"]
        .into_iter()
        .flat_map(all)
        .filter(|(_, text)| text.lines().count() > LONGEST)
        .map(|(path, text)| format!("{} has {} lines", path.display(), text.lines().count()))
        .collect();
    nothing_is_wrong(&wrong);
}

#[test]
fn causes_are_kept_and_nothing_is_left_unfinished() {
    let me = Path::new("tests").join("tidy").join("files.rs");
    let banned = [
        "map_err(|_|",
        "map_err(|_e|",
        "should_panic",
        "#[ignore",
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
    ];
    let mut wrong = Vec::new();
    for (path, text) in all(".rs") {
        for word in banned {
            if !path.ends_with(&me) && text.contains(word) {
                wrong.push(format!("{} has {word}", path.display()));
            }
        }
    }
    nothing_is_wrong(&wrong);
}

#[test]
fn every_crate_takes_the_lints_of_the_workspace() {
    let wrong: Vec<_> = all("Cargo.toml")
        .into_iter()
        .filter(|(path, _)| path.parent() != Some(root().as_path()))
        // A workspace of its own.
        .filter(|(path, _)| !path.starts_with(root().join("fuzz")))
        .filter(|(_, text)| !text.contains("[lints]\nworkspace = true"))
        .map(|(path, _)| format!("{} lacks [lints] workspace = true", path.display()))
        .collect();
    nothing_is_wrong(&wrong);
}
