//! Pure. The rules of names and passwords: what may be one, and why not, in a sentence.
//! Does not know which names are taken.

use schema::limits::{NAME_BYTES_MAX, PASSWORD_BYTES_MAX, PASSWORD_BYTES_MIN, USERNAME_BYTES_MAX};

use super::Error;

pub const USERNAME_BYTES_MIN: usize = 2;
/// What a name may begin with, and go on with: everything that looks the same to a person is the same, so no other letters.
pub const FIRST: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyz";
pub const REST: &[u8] = b"-.0123456789_abcdefghijklmnopqrstuvwxyz";

/// Latin letters, digits, `.`, `-` and `_`, beginning with a letter or digit; case is kept and does not count.
pub fn check_username(name: &str) -> Result<(), Error> {
    if !(USERNAME_BYTES_MIN..=USERNAME_BYTES_MAX).contains(&name.len()) {
        return rule(format!("a user name has {USERNAME_BYTES_MIN} to {USERNAME_BYTES_MAX} characters"));
    }
    let lower = name.to_ascii_lowercase();
    if !FIRST.contains(&lower.as_bytes()[0]) || !lower.bytes().all(|byte| REST.contains(&byte)) {
        return rule("a user name is made of the letters a–z, digits, '.', '-' and '_', and begins with a letter or digit".into());
    }
    Ok(())
}

pub fn check_password(name: &str, password: &str) -> Result<(), Error> {
    if password.len() < PASSWORD_BYTES_MIN {
        return rule(format!("a password has at least {PASSWORD_BYTES_MIN} characters"));
    }
    if password.len() > PASSWORD_BYTES_MAX {
        return rule(format!("a password has at most {PASSWORD_BYTES_MAX} bytes"));
    }
    if password.eq_ignore_ascii_case(name) {
        return rule("the password must not be the user name".into());
    }
    Ok(())
}

/// A name as people see it: trimmed; refused with characters that hide, reorder or fake text.
pub fn check_display(display: &str) -> Result<String, Error> {
    let display = display.trim();
    if display.len() > NAME_BYTES_MAX {
        return rule(format!("a name has at most {NAME_BYTES_MAX} bytes"));
    }
    match display.chars().find(|c| is_treacherous(*c)) {
        Some(c) => rule(format!("a name must not contain the invisible character U+{:04X}", u32::from(c))),
        None => Ok(display.to_owned()),
    }
}

/// What a device calls itself: whatever cannot be shown is left out, the rest is cut to the bound.
pub fn clean_label(label: &str) -> String {
    let mut clean: String = label.chars().filter(|c| !is_treacherous(*c)).collect();
    while clean.len() > NAME_BYTES_MAX {
        clean.pop();
    }
    clean.trim().to_owned()
}

/// Control characters, direction marks and overrides, zero-width and line separators, tags, the byte-order mark.
pub fn is_treacherous(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{00AD}' | '\u{061C}' | '\u{180E}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}')
        || matches!(c, '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}')
}

fn rule<T>(sentence: String) -> Result<T, Error> {
    Err(Error::Rule(sentence))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_pass_for_another_are_refused() {
        for name in ["", "a", "аdmin", "ad min", "-ab", "a\u{202e}b", "a\0b", "../x", "aé", &"a".repeat(33)] {
            assert!(check_username(name).is_err(), "{name:?}");
        }
        for name in ["ab", "Ada.Lovelace", "x_1-2", "42", &"a".repeat(32)] {
            assert_eq!(check_username(name), Ok(()), "{name:?}");
        }
    }

    #[test]
    fn a_display_name_cannot_reorder_or_hide_text() {
        for display in ["a\u{202e}gpj.exe", "a\nb", "x\u{2066}y", "\u{0}", "a\u{200b}b", "\u{FEFF}a", &"é".repeat(41)] {
            assert!(check_display(display).is_err(), "{display:?}");
        }
        assert_eq!(check_display("  Zoë 👩‍👩‍👧 محمد ").unwrap(), "Zoë 👩‍👩‍👧 محمد");
    }

    #[test]
    fn a_device_label_is_cleaned_and_cut_at_a_character() {
        assert_eq!(clean_label("Fire\u{202e}fox\r\n on Linux\0"), "Firefox on Linux");
        assert_eq!(clean_label(&"é".repeat(60)).len(), NAME_BYTES_MAX);
    }
}
