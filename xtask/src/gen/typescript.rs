//! The schemas as TypeScript types, for the SDK: unions are `{ post: Post } | …`, as they lie on the wire.
//!
//! Types and tables only; no code that runs.

use std::collections::BTreeSet;
use std::fmt::Write;

use schema::{CloseCode, ErrorCode, limits};
use serde_json::Value;

use super::tables::LIMITS;
use super::types::{Types, referred};

const HEAD: &str = "\
// Generated from the schema crate by `cargo xtask gen`. Do not edit: change the schema, then generate.
// Ids are hyphenated lower-case UUIDs; times are milliseconds since 1970; seqs and ordinals stay below 2^53.
// Fields marked `?` are left out when empty. Ignore events and fields that you do not know: they come with a higher level.
";

pub fn render(types: &Types) -> String {
    let mut out = HEAD.to_owned();
    for (name, schema) in &types.all {
        out.push('\n');
        comment(&mut out, "", schema);
        match object_fields(schema) {
            Some(_) => writeln!(out, "export interface {name} {}", type_of(schema, "")),
            None => writeln!(out, "export type {name} ={};", spaced(&type_of(schema, ""))),
        }
        .expect("a String takes all");
    }
    unions(&mut out, types);
    codes(&mut out);
    bounds(&mut out);
    out
}

/// A union of several lines begins on the next.
fn spaced(text: &str) -> String {
    if text.starts_with('\n') { text.to_owned() } else { format!(" {text}") }
}

/// The names of the events, for tables keyed by them.
fn unions(out: &mut String, types: &Types) {
    for (name, what) in [("ClientEvent", "client says"), ("ServerEvent", "node says"), ("EventBody", "room journals")] {
        let tags: BTreeSet<&str> = types.all[name]["oneOf"]
            .as_array()
            .expect("an event is a union")
            .iter()
            .flat_map(|variant| match variant["const"].as_str() {
                Some(word) => vec![word],
                None => variant["properties"].as_object().expect("one field").keys().map(String::as_str).collect(),
            })
            .collect();
        let tags: Vec<String> = tags.iter().map(|tag| format!("{tag:?}")).collect();
        write!(out, "\n/** The names of what a {what}. */\nexport type {name}Name = {};\n", tags.join(" | ")).expect("a String takes all");
    }
}

fn codes(out: &mut String) {
    out.push_str("\nexport interface ErrorInfo {\n  /** Never changes its meaning. */\n  readonly number: number;\n  readonly status: number;\n");
    out.push_str("  /** Resend the same request, verbatim, later. */\n  readonly temporary: boolean;\n  readonly sentence: string;\n}\n");
    out.push_str("\nexport const ERRORS: Readonly<Record<ErrorCode, ErrorInfo>> = {\n");
    for code in ErrorCode::ALL {
        let (text, number, status) = (code.text(), code.number(), code.http_status());
        let (temporary, sentence) = (code.is_temporary(), code.sentence());
        writeln!(out, "  {text}: {{ number: {number}, status: {status}, temporary: {temporary}, sentence: {sentence:?} }},")
            .expect("a String takes all");
    }
    out.push_str("};\n\nexport interface CloseInfo {\n  readonly name: string;\n");
    out.push_str("  /** Connect again, after the delay that was said. */\n  readonly reconnect: boolean;\n  readonly sentence: string;\n}\n");
    out.push_str("\n/** By close code. One that is not here (1006: the line broke): connect again. */\n");
    out.push_str("export const CLOSES: Readonly<Record<number, CloseInfo>> = {\n");
    for code in CloseCode::ALL {
        let (number, name) = (code.number(), super::tables::close_name(*code));
        let (reconnect, sentence) = (code.may_reconnect(), code.sentence());
        writeln!(out, "  {number}: {{ name: {name:?}, reconnect: {reconnect}, sentence: {sentence:?} }},").expect("a String takes all");
    }
    out.push_str("};\n");
}

fn bounds(out: &mut String) {
    out.push_str("\nexport const LIMITS = {\n");
    for (name, value, sentence) in LIMITS {
        writeln!(out, "  /** {sentence} */\n  {name}: {value},").expect("a String takes all");
    }
    out.push_str("} as const;\n");
    writeln!(out, "\n/** The protocol's level that these types speak. */\nexport const LEVEL = {};", limits::LEVEL).expect("a String takes all");
    out.push_str("export const SUBPROTOCOLS = [");
    let names: Vec<String> = schema::wire::Format::SUBPROTOCOLS.iter().map(|(name, _)| format!("{name:?}")).collect();
    writeln!(out, "{}] as const;", names.join(", ")).expect("a String takes all");
}

fn comment(out: &mut String, indent: &str, schema: &Value) {
    let Some(text) = schema["description"].as_str() else { return };
    let lines: Vec<&str> = text.lines().collect();
    match lines[..] {
        [line] => writeln!(out, "{indent}/** {line} */").expect("a String takes all"),
        _ => {
            writeln!(out, "{indent}/**").expect("a String takes all");
            for line in lines {
                writeln!(out, "{indent} * {line}").expect("a String takes all");
            }
            writeln!(out, "{indent} */").expect("a String takes all");
        }
    }
}

fn object_fields(schema: &Value) -> Option<&serde_json::Map<String, Value>> {
    static NONE: std::sync::LazyLock<serde_json::Map<String, Value>> = std::sync::LazyLock::new(serde_json::Map::new);
    match (&schema["type"], schema.get("properties")) {
        (Value::String(kind), properties) if kind == "object" => Some(properties.and_then(Value::as_object).unwrap_or(&NONE)),
        _ => None,
    }
}

/// Panics: on a schema of a shape that no type here has yet; teach it that shape.
fn type_of(schema: &Value, indent: &str) -> String {
    if let Some(reference) = schema["$ref"].as_str() {
        return referred(reference).to_owned();
    }
    if let Some(fields) = object_fields(schema) {
        return object(schema, fields, indent);
    }
    if let Some(variants) = schema["oneOf"].as_array().or(schema["anyOf"].as_array()) {
        return union(variants, indent);
    }
    if let Some(words) = schema["enum"].as_array() {
        return words.iter().map(Value::to_string).collect::<Vec<_>>().join(" | ");
    }
    if let Some(word) = schema.get("const") {
        return word.to_string();
    }
    if let Some(items) = schema.get("items") {
        return format!("{}[]", type_of(items, indent));
    }
    match schema["type"].as_str() {
        Some("string") => "string".to_owned(),
        Some("integer" | "number") => "number".to_owned(),
        Some("boolean") => "boolean".to_owned(),
        Some("null") => "null".to_owned(),
        _ => panic!("no TypeScript is known for {schema}"),
    }
}

fn object(schema: &Value, fields: &serde_json::Map<String, Value>, indent: &str) -> String {
    if fields.is_empty() {
        return "Record<string, never>".to_owned();
    }
    let required = schema["required"].as_array().map_or(&[][..], Vec::as_slice);
    let inner = format!("{indent}  ");
    let mut out = "{\n".to_owned();
    for (name, field) in fields {
        comment(&mut out, &inner, field);
        let mark = if required.contains(&Value::from(name.as_str())) { "" } else { "?" };
        writeln!(out, "{inner}{name}{mark}: {};", type_of(field, &inner)).expect("a String takes all");
    }
    write!(out, "{indent}}}").expect("a String takes all");
    out
}

/// Variants with one field stand on one line.
fn union(variants: &[Value], indent: &str) -> String {
    let plain = variants.iter().all(|variant| object_fields(variant).is_none());
    let one = |variant: &Value| match object_fields(variant) {
        Some(fields) if fields.len() == 1 => {
            let (name, field) = fields.iter().next().expect("it has one");
            format!("{{ {name}: {} }}", type_of(field, &format!("{indent}    ")))
        }
        _ => type_of(variant, indent),
    };
    if plain {
        return variants.iter().map(one).collect::<Vec<_>>().join(" | ");
    }
    let mut out = String::new();
    for variant in variants {
        out.push('\n');
        comment(&mut out, &format!("{indent}  "), variant);
        write!(out, "{indent}  | {}", one(variant)).expect("a String takes all");
    }
    out
}
