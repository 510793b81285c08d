//! Values of vim25 in a dynamic form: what properties, arguments, results and faults are made of. The types' names and
//! the order of fields on the wire are the schema's business (skins/vcenter/schema.rs), not this module's.

use jiff::Timestamp;

/// A managed object reference: vim25 type and opaque id.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MoRef {
    /// vim25 type name, such as `VirtualMachine`.
    pub ty: String,
    /// Opaque id, such as `vm-21`; unique in a vCenter.
    pub id: String,
}

impl MoRef {
    /// A reference from type and id.
    pub fn new(ty: &str, id: impl Into<String>) -> Self {
        MoRef { ty: ty.to_owned(), id: id.into() }
    }
}

/// A data object: type name and the fields that are set, in no particular order.
#[derive(Debug, Clone, PartialEq)]
pub struct Obj {
    /// vim25 type name.
    pub ty: String,
    /// Fields that are set.
    pub fields: Vec<(String, Val)>,
}

/// One value.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Val {
    /// Not there.
    #[default]
    Unset,
    /// xsd:boolean.
    Bool(bool),
    /// xsd:int, xsd:short or xsd:byte, or xsd:long where the schema declares it.
    Int(i64),
    /// xsd:long whatever the schema declares.
    Long(i64),
    /// xsd:string and enumerations.
    Str(String),
    /// xsd:dateTime.
    Time(Timestamp),
    /// xsd:base64Binary, kept as its text.
    Binary(String),
    /// A reference.
    Ref(MoRef),
    /// A data object.
    Obj(Obj),
    /// Repeated elements.
    List(Vec<Val>),
}

static UNSET: Val = Val::Unset;

impl Val {
    /// True where nothing is there.
    pub fn is_unset(&self) -> bool {
        matches!(self, Val::Unset)
    }

    /// A field of a data object; unset where this is none or has none.
    pub fn get(&self, name: &str) -> &Val {
        match self {
            Val::Obj(o) => o.fields.iter().find(|(n, _)| n == name).map_or(&UNSET, |(_, v)| v),
            _ => &UNSET,
        }
    }

    /// The text of a string field, when set.
    pub fn str(&self, name: &str) -> Option<&str> {
        self.get(name).as_str()
    }

    /// A boolean field, when set.
    pub fn bool(&self, name: &str) -> Option<bool> {
        match self.get(name) {
            Val::Bool(b) => Some(*b),
            _ => None,
        }
    }

    /// A number field, when set.
    pub fn int(&self, name: &str) -> Option<i64> {
        match self.get(name) {
            Val::Int(n) | Val::Long(n) => Some(*n),
            _ => None,
        }
    }

    /// A reference field, when set.
    pub fn moref(&self, name: &str) -> Option<&MoRef> {
        match self.get(name) {
            Val::Ref(r) => Some(r),
            _ => None,
        }
    }

    /// The values of a repeated field; a single value counts as one.
    pub fn list(&self, name: &str) -> &[Val] {
        match self.get(name) {
            Val::Unset => &[],
            Val::List(l) => l,
            one => std::slice::from_ref(one),
        }
    }

    /// This as text.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Val::Str(s) => Some(s),
            _ => None,
        }
    }

    /// This as a reference.
    pub fn as_ref(&self) -> Option<&MoRef> {
        match self {
            Val::Ref(r) => Some(r),
            _ => None,
        }
    }

    /// The type name of a data object, empty for anything else.
    pub fn type_name(&self) -> &str {
        match self {
            Val::Obj(o) => &o.ty,
            _ => "",
        }
    }

    /// Sets a field of a data object, replacing what was there.
    pub fn set(&mut self, name: &str, value: impl Into<Val>) {
        if let Val::Obj(o) = self {
            o.fields.retain(|(n, _)| n != name);
            let value = value.into();
            if !value.is_unset() {
                o.fields.push((name.to_owned(), value));
            }
        }
    }
}

impl From<bool> for Val {
    fn from(v: bool) -> Self {
        Val::Bool(v)
    }
}

macro_rules! from_int {
    ($($t:ty),*) => { $(impl From<$t> for Val {
        fn from(v: $t) -> Self { Val::Int(i64::try_from(v).unwrap_or(i64::MAX)) }
    })* };
}
from_int!(i32, i64, u32, u64, usize);

impl From<&str> for Val {
    fn from(v: &str) -> Self {
        Val::Str(v.to_owned())
    }
}

impl From<String> for Val {
    fn from(v: String) -> Self {
        Val::Str(v)
    }
}

impl From<&String> for Val {
    fn from(v: &String) -> Self {
        Val::Str(v.clone())
    }
}

impl From<Timestamp> for Val {
    fn from(v: Timestamp) -> Self {
        Val::Time(v)
    }
}

impl From<MoRef> for Val {
    fn from(v: MoRef) -> Self {
        Val::Ref(v)
    }
}

impl From<&MoRef> for Val {
    fn from(v: &MoRef) -> Self {
        Val::Ref(v.clone())
    }
}

impl<T: Into<Val>> From<Option<T>> for Val {
    fn from(v: Option<T>) -> Self {
        v.map_or(Val::Unset, Into::into)
    }
}

impl<T: Into<Val>> From<Vec<T>> for Val {
    fn from(v: Vec<T>) -> Self {
        Val::List(v.into_iter().map(Into::into).collect())
    }
}

/// Makes a data object: `obj!("Description", "label" => "x", "summary" => "y")`. Unset values are left out.
#[macro_export]
macro_rules! vim_obj {
    ($ty:expr $(, $name:literal => $value:expr)* $(,)?) => {{
        let mut fields: Vec<(String, $crate::world::compute::value::Val)> = Vec::new();
        $( let value: $crate::world::compute::value::Val = $value.into();
           if !value.is_unset() { fields.push(($name.to_owned(), value)); } )*
        $crate::world::compute::value::Val::Obj($crate::world::compute::value::Obj { ty: $ty.to_string(), fields })
    }};
}
pub use crate::vim_obj as obj;
