//! Whether a JSON value has the shape that a schema says: holds the generated schemas to what serde really writes.
//!
//! Knows the few words of JSON Schema that our types use, and refuses any other, so that nothing goes unchecked. A test's
//! tool, not a validator for strangers.

use std::collections::BTreeMap;

use serde_json::Value;

use super::types::referred;

type All = BTreeMap<String, Value>;

/// Why `value` is not of `schema`; the place is named from the root.
pub fn check(all: &All, schema: &Value, value: &Value, place: &str) -> Result<(), String> {
    let words = schema.as_object().ok_or_else(|| format!("{place}: a schema is an object"))?;
    for (word, rule) in words {
        let fits = match word.as_str() {
            "description" | "default" | "required" | "additionalProperties" => Ok(()),
            "$ref" => check(all, &all[referred(rule.as_str().unwrap_or_default())], value, place),
            "type" => kind(rule, value),
            "format" => format(rule, value),
            "minimum" => at_least(rule, value),
            "maximum" => at_most(rule, value),
            "enum" => rule.as_array().filter(|words| words.contains(value)).map(drop).ok_or_else(|| format!("is none of {rule}")),
            "const" => (rule == value).then_some(()).ok_or_else(|| format!("is not {rule}")),
            "items" => items(all, rule, value, place),
            "properties" => properties(all, schema, value, place),
            "oneOf" => one_of(all, rule, value, place),
            "anyOf" => any_of(all, rule, value, place),
            other => Err(format!("the word {other:?} is not known here: teach it")),
        };
        fits.map_err(|why| if why.starts_with(place) { why } else { format!("{place} {why}") })?;
    }
    Ok(())
}

fn kind(rule: &Value, value: &Value) -> Result<(), String> {
    let is = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let allowed = rule == is || rule.as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind == is));
    if allowed { Ok(()) } else { Err(format!("is {is}, not {rule}")) }
}

fn format(rule: &Value, value: &Value) -> Result<(), String> {
    let fits = match rule.as_str() {
        Some("uuid") => value.as_str().is_some_and(|text| text.len() == 36 && text.split('-').map(str::len).eq([8, 4, 4, 4, 12])),
        Some("uint16") => value.as_u64().is_some_and(|number| number <= u64::from(u16::MAX)),
        Some("uint32") => value.as_u64().is_some_and(|number| number <= u64::from(u32::MAX)),
        Some("uint64") => value.as_u64().is_some(),
        _ => return Err(format!("has a format that is not known here: {rule}")),
    };
    if fits || value.is_null() { Ok(()) } else { Err(format!("is no {rule}")) }
}

fn at_least(rule: &Value, value: &Value) -> Result<(), String> {
    if value.as_u64() >= rule.as_u64() { Ok(()) } else { Err(format!("is below {rule}")) }
}

fn at_most(rule: &Value, value: &Value) -> Result<(), String> {
    if value.as_u64() <= rule.as_u64() { Ok(()) } else { Err(format!("is above {rule}")) }
}

fn items(all: &All, rule: &Value, value: &Value, place: &str) -> Result<(), String> {
    let items = value.as_array().map_or(&[][..], Vec::as_slice);
    items.iter().enumerate().try_for_each(|(index, item)| check(all, rule, item, &format!("{place}[{index}]")))
}

/// Every field that is there is described, even where a schema would let others pass: what serde writes is all named.
fn properties(all: &All, schema: &Value, value: &Value, place: &str) -> Result<(), String> {
    let Some(fields) = value.as_object() else { return Ok(()) };
    for (name, field) in fields {
        let rule = schema["properties"].get(name).ok_or_else(|| format!("has the field {name:?}, which is not described"))?;
        check(all, rule, field, &format!("{place}.{name}"))?;
    }
    let required = schema["required"].as_array().map_or(&[][..], Vec::as_slice);
    match required.iter().find(|name| !fields.contains_key(name.as_str().unwrap_or_default())) {
        Some(missing) => Err(format!("lacks the field {missing}")),
        None => Ok(()),
    }
}

fn one_of(all: &All, rule: &Value, value: &Value, place: &str) -> Result<(), String> {
    let variants = rule.as_array().map_or(&[][..], Vec::as_slice);
    let results: Vec<Result<(), String>> = variants.iter().map(|variant| check(all, variant, value, place)).collect();
    match results.iter().filter(|result| result.is_ok()).count() {
        1 => Ok(()),
        0 => Err(format!("is none of its variants: {results:?}")),
        many => Err(format!("is {many} of its variants at once")),
    }
}

fn any_of(all: &All, rule: &Value, value: &Value, place: &str) -> Result<(), String> {
    let variants = rule.as_array().map_or(&[][..], Vec::as_slice);
    if variants.iter().any(|variant| check(all, variant, value, place).is_ok()) { Ok(()) } else { Err("is none of its choices".into()) }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::json;

    use super::super::types::Types;
    use super::*;

    /// The golden files of a kind, and what each is.
    fn golden(kind: &str) -> Vec<(String, Value)> {
        let folder = super::super::root().unwrap().join("schema/golden").join(kind);
        let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.retain(|file| file.extension().is_some_and(|ending| ending == "json"));
        files.sort();
        let read = |file: &std::path::PathBuf| serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
        files.iter().map(|file| (file.file_stem().unwrap().to_str().unwrap().to_owned(), read(file))).collect()
    }

    fn fits(types: &Types, name: &str, file: &str, value: &Value) {
        check(&types.all, &types.all[name], value, file).unwrap_or_else(|why| panic!("{name} does not describe {file}: {why}"));
    }

    #[test]
    fn every_golden_event_has_the_shape_its_schema_says() {
        let types = Types::collect();
        for (kind, name) in [("client", "ClientEvent"), ("server", "ServerEvent"), ("event", "Event")] {
            for (file, value) in golden(kind) {
                fits(&types, name, &file, &value);
            }
        }
    }

    #[test]
    fn every_golden_body_has_the_shape_its_schema_says() {
        let types = Types::collect();
        let squashed = |name: &str| name.replace('_', "").to_lowercase();
        for (file, value) in golden("rest") {
            // `tokens_of_a_browser` is a `Tokens`: the longest name that the file's begins with.
            let names = types.all.keys().filter(|name| squashed(&file).starts_with(&squashed(name)));
            let name = names.max_by_key(|name| name.len()).unwrap_or_else(|| panic!("{file} has no schema"));
            fits(&types, name, &file, &value);
        }
    }

    #[test]
    fn every_golden_event_exercises_every_variant_of_its_schema() {
        let types = Types::collect();
        for (kind, name) in [("client", "ClientEvent"), ("server", "ServerEvent")] {
            let seen: Vec<String> =
                golden(kind).iter().map(|(_, value)| value.as_object().unwrap().keys().next().unwrap().clone()).collect();
            for variant in types.all[name]["oneOf"].as_array().unwrap() {
                let tag = variant["properties"].as_object().unwrap().keys().next().unwrap();
                assert!(seen.contains(tag), "{name} has {tag}, and no golden file shows it");
            }
        }
    }

    #[test]
    fn what_has_another_shape_is_told_where() {
        let types = Types::collect();
        let refuse = |value: Value| check(&types.all, &types.all["ClientEvent"], &value, "here").unwrap_err();
        assert!(refuse(json!({ "ping": { "id": -1 } })).contains("is no"));
        assert!(refuse(json!({ "ping": { "id": 4_294_967_296_u64 } })).contains("is no"));
        assert!(refuse(json!({ "ping": {} })).contains("lacks the field"));
        assert!(refuse(json!({ "ping": { "id": 1, "more": 1 } })).contains("which is not described"));
    }
}
