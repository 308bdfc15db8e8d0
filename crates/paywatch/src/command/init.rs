//! `paywatch init`: writes a configuration to be filled in.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use anyhow::Context as _;
use serde_json::json;

use crate::output::{self, Format};

/// What is written: every key, with what it is for and its default.
const TEMPLATE: &str = include_str!("paywatch.toml");

/// What happens with a file that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Existing {
    /// It is left as it is.
    Keep,
    /// It is overwritten.
    Overwrite,
}

/// Writes the template to `path`.
pub(crate) fn run(path: &Path, existing: Existing, format: Format) -> anyhow::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true);
    match existing {
        Existing::Keep => options.create_new(true),
        Existing::Overwrite => options.create(true).truncate(true),
    };
    let shown = path.display();
    let mut file = options.open(path).map_err(|cause| {
        let context = if cause.kind() == ErrorKind::AlreadyExists {
            format!(
                "{shown} exists and was left as it is; --force overwrites it, --path names another"
            )
        } else {
            format!("{shown} cannot be written")
        };
        anyhow::Error::new(cause).context(context)
    })?;
    file.write_all(TEMPLATE.as_bytes())
        .with_context(|| format!("{shown} cannot be written"))?;
    if format == Format::Json {
        return output::json(&json!({ "written": path }));
    }
    Ok(output::line(&next_steps(path))?)
}

fn next_steps(path: &Path) -> String {
    let shown = path.display();
    let option = if path == Path::new("paywatch.toml") {
        String::new()
    } else {
        format!(" --config {shown}")
    };
    format!(
        "Wrote {shown}. Next:\n\
         \x20 1. Fill in treasury.address, and http of [chains.ethereum] or of the chains that you want.\n\
         \x20 2. paywatch{option} check-config\n\
         \x20 3. paywatch{option} api-key create --name shop     (shown once: keep it)\n\
         \x20 4. paywatch{option} run"
    )
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::command::check_config::view;
    use crate::config::{Config, ConfigError};

    fn filled_in() -> String {
        TEMPLATE
            .replace(
                "address = \"\"",
                "address = \"0x00000000000000000000000000000000000000aa\"",
            )
            .replace("http = \"\"", "http = \"https://node.example/key\"")
    }

    fn load(text: &str) -> Result<Config, ConfigError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("paywatch.toml");
        fs::write(&path, text).unwrap();
        Config::load(&path, &[])
    }

    #[test]
    fn the_template_works_once_the_two_values_are_filled_in() {
        let config = load(&filled_in())
            .map_err(|error| error.to_string())
            .ok()
            .unwrap();
        assert_eq!(config.chains.len(), 1);
        assert_eq!(config.chains[0].name, "ethereum");
    }

    #[test]
    fn the_template_as_it_is_asks_for_the_two_values_and_nothing_else() {
        let error = load(TEMPLATE).err().unwrap().to_string();
        let problems: Vec<_> = error.lines().skip(1).map(str::trim).collect();
        assert_eq!(problems.len(), 2, "{error}");
        assert!(
            problems[0].starts_with("treasury.address: is empty; "),
            "{error}"
        );
        assert!(
            problems[1].starts_with("chains.ethereum.http: is empty; "),
            "{error}"
        );
    }

    /// The commented lines say what holds without them.
    #[test]
    fn the_defaults_in_the_comments_are_the_defaults() {
        let uncommented: String = filled_in()
            .lines()
            .take_while(|line| !line.starts_with("# [chains.base]"))
            .map(|line| match line.strip_prefix("# ") {
                Some(rest) if rest.contains(" = ") && !rest.contains('…') => format!("{rest}\n"),
                _ => format!("{line}\n"),
            })
            .filter(|line| !line.starts_with("start_block"))
            .collect();
        assert!(uncommented.contains("\nmax_range = "), "{uncommented}");
        let (default, written) = (load(&filled_in()), load(&uncommented));
        let (default, written) = (default.ok().unwrap(), written.ok().unwrap());
        assert_eq!(view(&default), view(&written));
    }

    #[test]
    fn what_is_there_is_overwritten_only_by_force() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("paywatch.toml");
        fs::write(&path, "mine").unwrap();
        let error = run(&path, Existing::Keep, Format::Text).unwrap_err();
        assert!(error.to_string().contains("--force"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
        run(&path, Existing::Overwrite, Format::Text).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), TEMPLATE);
    }
}
