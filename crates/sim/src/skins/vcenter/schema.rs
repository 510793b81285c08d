//! What this simulator knows of vim25's schema, read from two tables: which properties a managed object has, which calls
//! it answers with which arguments, and for data objects and enumerations the names, order and types of their fields.
//! The tables are facts of the interface; requests are judged by them, answers are ordered by them.
//!
//! A line is `type NAME BASE field!:T ...` (`!` = required, `T[]` = repeated, `-` = no base), `enum NAME v ...`,
//! `object NAME BASE property:T ...` or `call OBJECT METHOD -> RESULT argument:T ...`.

use std::{collections::HashMap, sync::LazyLock};

/// A field, property or argument.
#[derive(Debug, Clone)]
pub struct Field {
    /// Element name.
    pub name: String,
    /// Declared type without `[]`; `ref` for references, `any` where everything goes.
    pub ty: String,
    /// True where it repeats.
    pub many: bool,
    /// True where a request must have it.
    pub required: bool,
}

/// A data type or managed object.
#[derive(Debug, Clone, Default)]
pub struct Type {
    base: Option<String>,
    /// Its own fields, then those of its base are to be put in front.
    own: Vec<Field>,
}

/// A method.
#[derive(Debug, Clone)]
pub struct Call {
    /// Type that declares it.
    pub on: String,
    /// Arguments after `_this`, in order.
    pub args: Vec<Field>,
    /// The result's type; none where nothing is returned.
    pub result: Option<Field>,
}

/// The tables, read.
#[derive(Debug, Default)]
pub struct Schema {
    types: HashMap<String, Type>,
    objects: HashMap<String, Type>,
    calls: HashMap<String, Call>,
    enums: HashMap<String, Vec<String>>,
}

/// The one schema.
pub static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let mut schema = Schema::default();
    for line in include_str!("schema/types.txt").lines().chain(include_str!("schema/managed.txt").lines()) {
        schema.read(line);
    }
    schema
});

fn field(word: &str) -> Field {
    let (name, ty) = word.split_once(':').unwrap_or((word, "any"));
    let (name, required) = name.strip_suffix('!').map_or((name, false), |n| (n, true));
    let (ty, many) = ty.strip_suffix("[]").map_or((ty, false), |t| (t, true));
    // A fault inside another object travels in a wrapper with its message.
    let ty = match ty {
        "MethodFault" => "LocalizedMethodFault",
        "MethodName" | "TypeName" | "PropertyPath" => "string",
        other => other,
    };
    Field { name: name.to_owned(), ty: ty.to_owned(), many, required }
}

impl Schema {
    fn read(&mut self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let base = |w: &str| (w != "-").then(|| w.to_owned());
        match words.as_slice() {
            ["type", name, parent, rest @ ..] => {
                let own = rest.iter().map(|w| field(w)).collect();
                self.types.insert((*name).to_owned(), Type { base: base(parent), own });
            }
            ["object", name, parent, rest @ ..] => {
                let own = rest.iter().map(|w| field(w)).collect();
                self.objects.insert((*name).to_owned(), Type { base: base(parent), own });
            }
            ["enum", name, rest @ ..] => {
                self.enums.insert((*name).to_owned(), rest.iter().map(|w| (*w).to_owned()).collect());
            }
            ["call", on, method, "->", result, rest @ ..] => {
                let result = base(result).map(|r| field(&format!("returnval:{r}")));
                let args = rest.iter().map(|w| field(w)).collect();
                self.calls.insert((*method).to_owned(), Call { on: (*on).to_owned(), args, result });
            }
            _ => {}
        }
    }

    /// All fields of a data type, base first; none where the type is not known.
    pub fn fields(&self, ty: &str) -> Option<Vec<&Field>> {
        Self::chain(&self.types, ty)
    }

    /// All properties of a managed object type.
    pub fn properties(&self, ty: &str) -> Option<Vec<&Field>> {
        Self::chain(&self.objects, ty)
    }

    fn chain<'a>(table: &'a HashMap<String, Type>, ty: &str) -> Option<Vec<&'a Field>> {
        let known = table.get(ty)?;
        let mut all = match &known.base {
            Some(base) => Self::chain(table, base).unwrap_or_default(),
            None => Vec::new(),
        };
        all.extend(&known.own);
        Some(all)
    }

    /// A method by its name on the wire.
    pub fn call(&self, method: &str) -> Option<&Call> {
        self.calls.get(method)
    }

    /// The values of an enumeration.
    pub fn values(&self, ty: &str) -> Option<&[String]> {
        self.enums.get(ty).map(Vec::as_slice)
    }

    /// A field of a type, or of a type derived from it: paths may step into what a property really holds.
    pub fn field_of(&self, ty: &str, name: &str) -> Option<&Field> {
        let own = self.fields(ty)?.into_iter().find(|f| f.name == name);
        own.or_else(|| {
            let derived = self.types.iter().filter(|(t, _)| self.is_a(t, ty));
            derived.flat_map(|(_, t)| &t.own).find(|f| f.name == name)
        })
    }

    /// True where `ty` is `ancestor` or derived from it (data types).
    pub fn is_a(&self, ty: &str, ancestor: &str) -> bool {
        ty == ancestor || self.types.get(ty).and_then(|t| t.base.as_deref()).is_some_and(|b| self.is_a(b, ancestor))
    }

    /// True where managed object type `ty` is `ancestor` or derived from it.
    pub fn object_is_a(&self, ty: &str, ancestor: &str) -> bool {
        ancestor == "ManagedObject"
            || ty == ancestor
            || self.objects.get(ty).and_then(|t| t.base.as_deref()).is_some_and(|b| self.object_is_a(b, ancestor))
    }

    /// True where the type is a data type of the tables.
    pub fn knows_type(&self, ty: &str) -> bool {
        self.types.contains_key(ty)
    }

    /// True where the type is a managed object of the tables.
    pub fn knows_object(&self, ty: &str) -> bool {
        self.objects.contains_key(ty)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_fields_come_first() {
        let names: Vec<&str> = SCHEMA.fields("TraversalSpec").unwrap().iter().map(|f| f.name.as_str()).collect();
        assert_eq!(names, ["name", "type", "path", "skip", "selectSet"]);
        let disk = SCHEMA.fields("VirtualDisk").unwrap();
        assert_eq!(disk[0].name, "key");
        assert!(SCHEMA.is_a("VirtualDisk", "VirtualDevice"));
        assert!(SCHEMA.object_is_a("ClusterComputeResource", "ManagedEntity"));
        assert_eq!(SCHEMA.call("RegisterVM_Task").unwrap().args[0].name, "path");
    }
}
