//! Names of a clone: the VM's, and those made of it for directories and datastores.

use crate::{
    catalog::RestorePoint,
    error::{GatewayError, Result},
    plan::new_id,
};

/// The name asked for, or one made of the source's.
pub(super) fn display_name(point: &RestorePoint, asked: &str) -> Result<String> {
    let name = match asked {
        "" => format!("{}-clone-{}", point.intent.vm_display_name, &new_id("c")[2..6]),
        name => name.to_owned(),
    };
    let count = name.chars().count();
    if !(1..=80).contains(&count) || name.trim() != name || name.chars().any(char::is_control) {
        let message = format!(
            "'{name}' cannot be a VM's name: 1 to 80 characters, no control characters, no blank at either end"
        );
        return Err(GatewayError::invalid("display_name", message));
    }
    Ok(name)
}
/// A name that is safe as a directory's or datastore's name on every array, at most `chars_max` long.
pub(super) fn safe(name: &str, chars_max: usize) -> String {
    let kept = name.chars().map(|c| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '_' });
    let name: String = kept.take(chars_max).collect();
    match name.trim_start_matches('.') {
        "" => "clone".to_owned(),
        name => name.to_owned(),
    }
}

/// vCenter takes 42 bytes for a datastore's name; the VM's part is cut so that prefix and number have room.
pub(in crate::plan) fn datastore_name(display_name: &str, number: usize) -> String {
    const PART_BYTES_MAX: usize = 29;
    let mut part = safe(display_name, 80);
    while part.len() > PART_BYTES_MAX {
        part.pop();
    }
    format!("strata-{part}-{number}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_directories() {
        for (name, expected) in
            [("web-01-t", "web-01-t"), ("a/b @:%#", "a_b_____"), ("größe", "größe"), ("..", "clone"), ("x y", "x_y")]
        {
            assert_eq!(safe(name, 80), expected);
        }
        assert_eq!(safe(&"x".repeat(200), 40).len(), 40);
        for name in ["web-01", &"x".repeat(80), &"ü".repeat(80), &"文".repeat(80)] {
            let name = datastore_name(name, 99_999);
            assert!(name.len() <= 42 && name.starts_with("strata-") && name.ends_with("-99999"), "{name}");
        }
    }
}
