//! File and environment to a `Config`: the file over the defaults, the environment over the file.
//!
//! `HUBBUB_<SECTION>_<KEY>` sets a key; `HUBBUB_<SECTION>_<KEY>_FILE` names a file whose content is the value, for secrets.
//! An unknown key is refused with the name that was probably meant, and its file and line.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml::de::DeTable;
use toml::{Table, Value};

use super::nearest::nearest;
use super::{Config, Loaded, table};

/// Names the file itself, so it is no key.
pub const FILE_VARIABLE: &str = "HUBBUB_CONFIG";
const PREFIX: &str = "HUBBUB_";
const FILE_NAME: &str = "hubbub.toml";
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// One sentence each: what is wrong, where, what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("the configuration {0} cannot be read: {1}")]
    Unreadable(String, String),
    #[error("{place}: {problem}")]
    Wrong { place: String, problem: String },
}

/// `file`: named by the operator, so it must exist; without one `hubbub.toml` in the working directory, if it is there.
pub fn load(file: Option<&Path>, environment: impl Iterator<Item = (String, String)>) -> Result<Loaded, Error> {
    let mut draft = Draft { values: table(&Config::default()), sources: BTreeMap::new(), warnings: Vec::new() };
    let default = PathBuf::from(FILE_NAME);
    if let Some(file) = file.or(default.is_file().then_some(&default)) {
        draft.read_file(file)?;
    }
    draft.read_environment(environment)?;
    let config = draft.build()?;
    config.check().map_err(|(path, problem)| draft.wrong(&path, problem))?;
    Ok(Loaded { config, sources: draft.sources, warnings: draft.warnings })
}

struct Draft {
    values: Table,
    sources: BTreeMap<String, String>,
    warnings: Vec<String>,
}

impl Draft {
    fn read_file(&mut self, file: &Path) -> Result<(), Error> {
        let unreadable = |why: String| Error::Unreadable(file.display().to_string(), why);
        let size = std::fs::metadata(file).map_err(|error| unreadable(error.to_string()))?.len();
        if size > FILE_BYTES_MAX {
            return Err(unreadable(format!("it has {size} bytes, more than the {FILE_BYTES_MAX} a configuration may have")));
        }
        let text = std::fs::read_to_string(file).map_err(|error| unreadable(error.to_string()))?;
        self.read_text(&text, &file.display().to_string())
    }

    fn read_text(&mut self, text: &str, file: &str) -> Result<(), Error> {
        let place = |at: usize| format!("{file}:{}", text[..at.min(text.len())].matches('\n').count() + 1);
        let wrong = |at, problem: String| Error::Wrong { place: place(at), problem };
        let syntax = |error: toml::de::Error| wrong(error.span().map_or(0, |span| span.start), error.message().replace('\n', ", "));
        let spans = DeTable::parse(text).map_err(syntax)?.into_inner();
        let given: Table = text.parse().map_err(syntax)?;
        for (section, entries) in &spans {
            let name = section.get_ref().as_ref();
            let Some(known) = self.values.get_mut(name).and_then(Value::as_table_mut) else {
                return Err(wrong(section.span().start, unknown(name, self.values.keys().map(String::as_str), "section")));
            };
            let Some(entries) = entries.get_ref().as_table() else {
                return Err(wrong(section.span().start, format!("\"{name}\" is a section: write [{name}] above its keys")));
            };
            for key in entries.keys() {
                let (at, key) = (key.span().start, key.get_ref().as_ref());
                if !known.contains_key(key) {
                    return Err(wrong(at, unknown(key, known.keys().map(String::as_str), &format!("key of [{name}]"))));
                }
                known.insert(key.to_owned(), given[name][key].clone());
                self.sources.insert(format!("{name}.{key}"), place(at));
            }
        }
        Ok(())
    }

    fn read_environment(&mut self, environment: impl Iterator<Item = (String, String)>) -> Result<(), Error> {
        let variables: BTreeMap<String, String> =
            environment.filter(|(name, _)| name.starts_with(PREFIX) && name != FILE_VARIABLE).collect();
        let mut unused: Vec<&String> = variables.keys().collect();
        for (section, known) in self.values.iter_mut().filter_map(|(name, value)| Some((name, value.as_table_mut()?))) {
            for (key, value) in known.iter_mut() {
                let name = format!("{PREFIX}{}_{}", section.to_uppercase(), key.to_uppercase());
                let by_file = format!("{name}_FILE");
                unused.retain(|variable| **variable != name && **variable != by_file);
                let (source, text) = match (variables.get(&name), variables.get(&by_file)) {
                    (Some(text), None) => (name, text.clone()),
                    (None, Some(path)) => {
                        let content = std::fs::read_to_string(path)
                            .map_err(|error| Error::Unreadable(format!("of {by_file} ({path})"), error.to_string()))?;
                        (by_file, content.trim_end_matches(['\r', '\n']).to_owned())
                    }
                    (None, None) => continue,
                    (Some(_), Some(_)) => {
                        return Err(Error::Wrong { place: name, problem: format!("{by_file} is set too: keep one of them") });
                    }
                };
                *value = parse_like(value, &text).map_err(|problem| Error::Wrong { place: source.clone(), problem })?;
                self.sources.insert(format!("{section}.{key}"), source);
            }
        }
        let names: Vec<String> = self.variables().collect();
        for variable in unused {
            // Not an error: orchestrators make such variables for a service of our name.
            let hint = nearest(variable, names.iter().map(String::as_str));
            let hint = hint.map(|name| format!(": did you mean {name}?")).unwrap_or_default();
            self.warnings.push(format!("the variable {variable} sets nothing{hint}"));
        }
        Ok(())
    }

    fn variables(&self) -> impl Iterator<Item = String> {
        let keys = self
            .values
            .iter()
            .flat_map(|(section, value)| value.as_table().into_iter().flat_map(move |table| table.keys().map(move |key| (section, key))));
        keys.map(|(section, key)| format!("{PREFIX}{}_{}", section.to_uppercase(), key.to_uppercase()))
    }

    fn build(&self) -> Result<Config, Error> {
        let whole = self.values.clone().try_into::<Config>();
        whole.map_err(|error| {
            // Which key it was: the one that breaks the defaults by itself.
            let culprit = self.sources.keys().find_map(|path| {
                let (section, key) = path.split_once('.')?;
                let mut alone = table(&Config::default());
                alone.get_mut(section)?.as_table_mut()?.insert(key.into(), self.values[section][key].clone());
                let error = alone.try_into::<Config>().err()?;
                Some(self.wrong(path, error.message().replace('\n', ", ")))
            });
            culprit.unwrap_or(Error::Wrong { place: "the configuration".into(), problem: error.message().to_owned() })
        })
    }

    fn wrong(&self, path: &str, problem: String) -> Error {
        let place = match self.sources.get(path) {
            Some(source) => format!("{source}: {path}"),
            None => path.to_owned(),
        };
        Error::Wrong { place, problem }
    }
}

fn unknown<'a>(typed: &str, known: impl Iterator<Item = &'a str>, what: &str) -> String {
    match nearest(typed, known) {
        Some(meant) => format!("there is no {what} named \"{typed}\": did you mean \"{meant}\"?"),
        None => format!("there is no {what} named \"{typed}\"; `hubbub config print` shows all there are"),
    }
}

/// A variable's text as the kind of value that the key has; lists are separated by commas.
fn parse_like(like: &Value, text: &str) -> Result<Value, String> {
    let text = text.trim();
    Ok(match like {
        Value::Integer(_) => Value::Integer(text.replace('_', "").parse().map_err(|_| format!("\"{text}\" is not a whole number"))?),
        Value::Float(_) => Value::Float(text.parse().map_err(|_| format!("\"{text}\" is not a number"))?),
        Value::Boolean(_) => Value::Boolean(text.parse().map_err(|_| format!("\"{text}\" is neither true nor false"))?),
        Value::Array(_) => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            Value::Array(items.map(|item| Value::String(item.to_owned())).collect())
        }
        _ => Value::String(text.to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, environment: &[(&str, &str)]) -> Result<Loaded, Error> {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("hubbub.toml");
        std::fs::write(&file, text).unwrap();
        let loaded = load(Some(&file), environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let shorten = |text: String| text.replace(&file.display().to_string(), "hubbub.toml");
        loaded.map_err(|error| match error {
            Error::Wrong { place, problem } => Error::Wrong { place: shorten(place), problem },
            other => other,
        })
    }
    fn refusal(text: &str, environment: &[(&str, &str)]) -> String {
        read(text, environment).unwrap_err().to_string()
    }

    #[test]
    fn the_environment_wins_over_the_file_and_the_file_over_the_defaults() {
        let file = "[node]\ndata_dir = \"/srv/hubbub\"\n[limits]\nheartbeat_ms = 5_000\n";
        let environment = [("HUBBUB_LIMITS_HEARTBEAT_MS", "7000"), ("HUBBUB_EDGE_ORIGINS", "https://a.example, https://b.example")];
        let config = read(file, &environment).unwrap().config;
        assert_eq!(config.node.data_dir, Path::new("/srv/hubbub"));
        assert_eq!(config.limits.heartbeat_ms, 7000);
        assert_eq!(config.edge.origins, ["https://a.example", "https://b.example"]);
        assert_eq!(config.listen, Config::default().listen);
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_line_and_the_one_that_was_meant() {
        let refused = refusal("# a comment\n[node]\ndatadir = \"x\"\n", &[]);
        assert_eq!(refused, "hubbub.toml:3: there is no key of [node] named \"datadir\": did you mean \"data_dir\"?");
        let refused = refusal("[lissten]\nhttp = \"127.0.0.1:1\"\n", &[]);
        assert_eq!(refused, "hubbub.toml:1: there is no section named \"lissten\": did you mean \"listen\"?");
        let refused = refusal("node = 1\n", &[]);
        assert_eq!(refused, "hubbub.toml:1: \"node\" is a section: write [node] above its keys");
    }

    #[test]
    fn a_value_of_the_wrong_kind_is_refused_with_its_place() {
        let refused = refusal("[limits]\n\nfragments_max = \"many\"\n", &[]);
        assert!(refused.starts_with("hubbub.toml:3: limits.fragments_max: invalid type: string \"many\""), "{refused}");
        let refused = refusal("[limits]\nrequests_in_flight_max = 300\n", &[]);
        assert!(refused.starts_with("hubbub.toml:2: limits.requests_in_flight_max: invalid value"), "{refused}");
        let refused = refusal("", &[("HUBBUB_LIMITS_HELLO_MS", "soon")]);
        assert_eq!(refused, "HUBBUB_LIMITS_HELLO_MS: \"soon\" is not a whole number");
        let refused = refusal("[auth]\nsignup = \"friends\"\n", &[]);
        assert!(
            refused.contains("hubbub.toml:2: auth.signup: unknown variant `friends`, expected one of `open`, `invite`, `closed`"),
            "{refused}"
        );
        let refused = refusal("[node\n", &[]);
        assert!(refused.starts_with("hubbub.toml:1: "), "{refused}");
    }

    #[test]
    fn a_value_may_come_from_a_file_and_not_from_two_places() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("issuer");
        std::fs::write(&file, "chat.example\n").unwrap();
        let file = file.display().to_string();
        let config = read("", &[("HUBBUB_AUTH_ISSUER_FILE", &file)]).unwrap().config;
        assert_eq!(config.auth.issuer, "chat.example");
        let both = refusal("", &[("HUBBUB_AUTH_ISSUER_FILE", &file), ("HUBBUB_AUTH_ISSUER", "x")]);
        assert_eq!(both, "HUBBUB_AUTH_ISSUER: HUBBUB_AUTH_ISSUER_FILE is set too: keep one of them");
        assert!(refusal("", &[("HUBBUB_AUTH_ISSUER_FILE", "/no/such/file")]).contains("HUBBUB_AUTH_ISSUER_FILE"));
    }

    #[test]
    fn a_variable_that_sets_nothing_is_named_and_does_no_harm() {
        let loaded = read("", &[("HUBBUB_LISTEN_HTP", "x"), ("HUBBUB_SERVICE_HOST", "10.0.0.1"), ("HOME", "/")]).unwrap();
        assert_eq!(loaded.warnings[0], "the variable HUBBUB_LISTEN_HTP sets nothing: did you mean HUBBUB_LISTEN_HTTP?");
        assert_eq!(loaded.warnings.len(), 2);
    }

    #[test]
    fn what_is_printed_reads_back_as_the_same() {
        let loaded = read("[auth]\nsignup = \"closed\"\n", &[("HUBBUB_NODE_DATA_DIR", "x y")]).unwrap();
        let text = loaded.print();
        assert!(text.contains("data_dir = \"x y\"  # HUBBUB_NODE_DATA_DIR\n"), "{text}");
        assert_eq!(read(&text, &[]).unwrap().config, loaded.config);
    }
}
