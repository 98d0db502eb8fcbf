//! The code of the made-up crate and of its port, before and after.

pub(super) const VOWELS_RS_OLD: &str = r#"/// Counts the vowels of a word.
pub fn count_vowels(word: &str) -> usize {
    let lower: Vec<char> = word.to_lowercase().chars().collect();
    lower.iter().filter(|c| "aeiou".contains(**c)).count()
}
"#;
pub(super) const VOWELS_RS_NEW: &str = r#"/// Counts the vowels of a word.
pub fn count_vowels(word: &str) -> usize {
    word.chars().flat_map(char::to_lowercase).filter(|c| "aeiou".contains(*c)).count()
}
"#;
pub(super) const VOWELS_PY: &str = r#"def count_vowels(word: str) -> int:
    """Count the vowels of a word."""
    return sum(c in "aeiou" for c in word.lower())
"#;
pub(super) const SLUG_RS_OLD: &str = r"/// Makes a slug: lower case, words joined by `-`.
///
/// Everything that is no letter and no digit ends a word.
/// Letters of any script count, so a slug need not be ASCII.
/// Upper case is folded by the simple mapping.
pub fn slug(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if c.is_alphanumeric() {
            out.extend(c.to_lowercase());
        } else if !out.ends_with('-') {
            out.push('-');
        }
    }
    out.trim_matches('-').to_owned()
}
";
pub(super) const SLUG_RS_NEW: &str = r"/// Makes a slug: lower case, words joined by `separator`.
///
/// Everything that is no letter and no digit ends a word.
/// Letters of any script count, so a slug need not be ASCII.
/// Upper case is folded by the simple mapping.
pub fn slug(text: &str, separator: &str) -> String {
    let mut out = String::new();
    let mut gap = false;
    for c in text.chars() {
        if c.is_alphanumeric() {
            if gap && !out.is_empty() {
                out.push_str(separator);
            }
            gap = false;
            out.extend(c.to_lowercase());
        } else {
            gap = true;
        }
    }
    out
}
";
pub(super) const SLUG_PY_OLD: &str = r#"def slug(text: str) -> str:
    """Make a slug: lower case, words joined by ``-``.

    Everything that is no letter and no digit ends a word.
    Letters of any script count, so a slug need not be ASCII.
    """
    out: list[str] = []
    for c in text:
        if c.isalnum():
            out.append(c.lower())
        elif not (out and out[-1] == "-"):
            out.append("-")
    return "".join(out).strip("-")
"#;
pub(super) const SLUG_PY_NEW: &str = r#"def slug(text: str, separator: str) -> str:
    """Make a slug: lower case, words joined by ``separator``.

    Everything that is no letter and no digit ends a word.
    Letters of any script count, so a slug need not be ASCII.
    """
    out: list[str] = []
    gap = False
    for c in text:
        if c.isalnum():
            if gap and out:
                out.append(separator)
            gap = False
            out.append(c.lower())
        else:
            gap = True
    return "".join(out)
"#;
pub(super) const SLUG_DIFF_REFUSED: &str = r#"--- a/tinytext/__init__.py
+++ b/tinytext/__init__.py
@@ -12,9 +12,9 @@
-def slug(text: str) -> str:
+def slug(text: str, separator: str) -> str:
     out: list[str] = []
     for c in text:
         if c.isalnum():
             out.append(c.lower())
-        elif not (out and out[-1] == "-"):
-            out.append("-")
-    return "".join(out).strip("-")
+        else:
+            out.append(separator)
+    return "".join(out).strip(separator)
"#;
pub(super) const SLUG_DIFF_PASSED: &str = r#"--- a/tinytext/__init__.py
+++ b/tinytext/__init__.py
@@ -12,13 +12,17 @@
-def slug(text: str) -> str:
-    """Make a slug: lower case, words joined by ``-``.
+def slug(text: str, separator: str) -> str:
+    """Make a slug: lower case, words joined by ``separator``.
 
     Everything that is no letter and no digit ends a word.
"#;
pub(super) const INITIALS_RS_OLD: &str = r"pub fn initials(name: &str) -> String {
    name.split_whitespace().filter_map(|word| word.chars().next()).collect()
}
";
pub(super) const INITIALS_RS_NEW: &str = r"pub fn initials(name: &str) -> String {
    name.split_whitespace()
        .filter(|word| !PARTICLES.contains(word))
        .filter_map(|word| word.chars().next())
        .collect()
}
";
pub(super) const INITIALS_PY_OLD: &str = r#"def initials(name: str) -> str:
    return "".join(word[0] for word in name.split())
"#;
pub(super) const INITIALS_PY_NEW: &str = r#"def initials(name: str) -> str:
    return "".join(word[0] for word in name.split() if word not in PARTICLES)
"#;
pub(super) const WRAP_RS_OLD: &str = r"pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.last_mut().expect(NEVER_EMPTY);
        if last.chars().count() + word.chars().count() < columns {
            last.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}
";
pub(super) const WRAP_RS_NEW: &str = r"pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    if columns == 0 {
        return Vec::new();
    }
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.last_mut().expect(NEVER_EMPTY);
        if width(last) + width(word) < columns {
            last.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}
";
pub(super) const WRAP_PY: &str = r#"def wrap(text: str, columns: int) -> list[str]:
    lines = [""]
    for word in text.split(" "):
        # Ours: never break inside a quotation.
        if len(lines[-1]) + len(word) < columns or in_quotes(lines[-1]):
            lines[-1] += word
        else:
            lines.append(word)
    return lines
"#;
pub(super) const WRAP_DIFF_REFUSED: &str = r#"--- a/tinytext/layout.py
+++ b/tinytext/layout.py
@@ -4,2 +4,4 @@
 def wrap(text: str, columns: int) -> list[str]:
+    if columns == 0:
+        return []
     lines = [""]
"#;
