//! The names of users and groups. They are parts of paths and columns of tables.

/// Checks the name of a user: 2 to 40 letters, digits, `_`, `-`, `.`.
///
/// # Errors
///
/// What is expected.
pub fn check_user_name(name: &str) -> Result<(), String> {
    let is_char = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let is_first = |c: char| c.is_ascii_alphanumeric();
    if (2..=40).contains(&name.len()) && name.chars().all(is_char) && name.starts_with(is_first) {
        return Ok(());
    }
    Err("invalid user name: expected 2 to 40 letters, digits, “_”, “-” or “.”, beginning with a \
         letter or digit"
        .into())
}

/// Checks the name of a group: 2 to 64 characters on one line.
///
/// # Errors
///
/// What is expected.
pub fn check_group_name(name: &str) -> Result<(), String> {
    let is_clean = name.trim() == name && !name.chars().any(char::is_control);
    if is_clean && (2..=64).contains(&name.chars().count()) {
        return Ok(());
    }
    Err("invalid group name: expected 2 to 64 characters on one line".into())
}
