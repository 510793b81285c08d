//! Path templates of `google.api.http`: `/v1/{vm=vcenters/*/vms/*}/snapshots`, `/v1/{name=operations/*}:watch`.

/// A template, ready to be matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// What stands between the slashes.
    pub segments: Vec<Segment>,
    /// Fields that are filled from the path.
    pub variables: Vec<Variable>,
    /// What stands after the last colon; empty where there is none.
    pub verb: String,
}

/// One part between slashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// Exactly this.
    Literal(String),
    /// Any one segment.
    One,
    /// All that is left, at least one segment.
    Rest,
}

/// A field of the request, and the segments that make its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// The field's name in the proto.
    pub field: String,
    /// Its first segment.
    pub from: usize,
    /// The segment after its last; of a template's.
    pub to: usize,
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// What is wrong with it; a mistake in a proto.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = |why: &str| format!("path template '{text}': {why}");
        let rest = text.strip_prefix('/').ok_or_else(|| wrong("it does not begin with a slash"))?;
        // A colon within braces does not exist in templates, so that the last one begins the verb.
        let (path, verb) = match rest.rsplit_once(':') {
            Some((path, verb)) if !verb.contains(['}', '/']) => (path, verb),
            _ => (rest, ""),
        };
        let mut template = Template { segments: Vec::new(), variables: Vec::new(), verb: verb.to_owned() };
        let mut left = path;
        while !left.is_empty() {
            left = match left.strip_prefix('{') {
                Some(inside) => {
                    let (variable, after) = inside.split_once('}').ok_or_else(|| wrong("a brace is not closed"))?;
                    template.push_variable(variable);
                    after
                }
                None => {
                    let (segment, after) = left.find('/').map_or((left, ""), |slash| left.split_at(slash));
                    template.segments.push(Segment::read(segment));
                    after
                }
            };
            left = match left.strip_prefix('/') {
                Some(after) => after,
                None if left.is_empty() => left,
                None => return Err(wrong("something follows a brace without a slash")),
            };
        }
        let rest_at = template.segments.iter().position(|segment| *segment == Segment::Rest);
        if rest_at.is_some_and(|at| at + 1 != template.segments.len()) {
            return Err(wrong("** is not its last segment"));
        }
        Ok(template)
    }

    fn push_variable(&mut self, variable: &str) {
        let (field, pattern) = variable.split_once('=').unwrap_or((variable, "*"));
        let from = self.segments.len();
        self.segments.extend(pattern.split('/').map(Segment::read));
        self.variables.push(Variable { field: field.to_owned(), from, to: self.segments.len() });
    }

    /// The fields' values where `path` (as it stands in the request, percent-encoded) matches.
    pub fn matches(&self, path: &str) -> Option<Vec<(String, String)>> {
        let mut path = path.strip_prefix('/')?;
        if !self.verb.is_empty() {
            path = path.strip_suffix(self.verb.as_str())?.strip_suffix(':')?;
        }
        let given: Vec<&str> = path.split('/').collect();
        let open_end = self.segments.last() == Some(&Segment::Rest);
        if given.len() < self.segments.len() || (!open_end && given.len() > self.segments.len()) {
            return None;
        }
        let fits = self.segments.iter().zip(&given).all(|(segment, part)| match segment {
            Segment::Literal(text) => text == part,
            Segment::One | Segment::Rest => !part.is_empty(),
        });
        if !fits {
            return None;
        }
        let value = |variable: &Variable| {
            let last = if open_end && variable.to == self.segments.len() { given.len() } else { variable.to };
            let parts: Option<Vec<String>> =
                given[variable.from..last].iter().map(|part| decode(part, false)).collect();
            Some((variable.field.clone(), parts?.join("/")))
        };
        self.variables.iter().map(value).collect()
    }

    /// How much of it is fixed: of two templates that match, the one with more is meant.
    pub fn weight(&self) -> (bool, usize, bool) {
        let literals = self.segments.iter().filter(|segment| matches!(segment, Segment::Literal(_))).count();
        (!self.verb.is_empty(), literals, self.segments.last() != Some(&Segment::Rest))
    }
}

impl Segment {
    fn read(text: &str) -> Self {
        match text {
            "*" => Segment::One,
            "**" => Segment::Rest,
            literal => Segment::Literal(literal.to_owned()),
        }
    }
}

/// Undoes percent-encoding, and in a query `+` for a blank; `None` where the result is no UTF-8 or an escape is cut off.
pub fn decode(text: &str, in_query: bool) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut left = text.bytes();
    while let Some(byte) = left.next() {
        bytes.push(match byte {
            b'%' => {
                let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
                u8::try_from(digit(left.next())? * 16 + digit(left.next())?).ok()?
            }
            b'+' if in_query => b' ',
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_match_as_the_protos_mean_them() {
        let cases: &[(&str, &str, Option<&[(&str, &str)]>)] = &[
            ("/v1/plan", "/v1/plan", Some(&[])),
            ("/v1/plan", "/v1/plans", None),
            ("/v1/plan", "/v1/plan/", None),
            ("/v1/{name=clones/*}", "/v1/clones/c-1", Some(&[("name", "clones/c-1")])),
            ("/v1/{name=clones/*}", "/v1/clones/", None),
            ("/v1/{name=clones/*}", "/v1/clones/c-1/x", None),
            (
                "/v1/{vm=vcenters/*/vms/*}/snapshots",
                "/v1/vcenters/a%20b/vms/u/snapshots",
                Some(&[("vm", "vcenters/a b/vms/u")]),
            ),
            ("/v1/{name=operations/*}:watch", "/v1/operations/1:watch", Some(&[("name", "operations/1")])),
            ("/v1/{name=operations/*}:watch", "/v1/operations/1", None),
            ("/v1/{name=operations/**}", "/v1/operations/a/b", Some(&[("name", "operations/a/b")])),
            ("/v1/{name=operations/**}", "/v1/operations", None),
            ("/v1/{id}/x", "/v1/7/x", Some(&[("id", "7")])),
            ("/v1/{id}/x", "/v1/%zz/x", None),
        ];
        for (template, path, expected) in cases {
            let found = Template::parse(template).unwrap().matches(path);
            let expected =
                expected.map(|pairs| pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect());
            assert_eq!(found, expected, "{template} with {path}");
        }
    }

    #[test]
    fn wrong_templates_are_told() {
        for text in ["v1", "/v1/{name", "/v1/**/x", "/v1/{a=b}c"] {
            assert!(Template::parse(text).is_err(), "{text}");
        }
    }
}
