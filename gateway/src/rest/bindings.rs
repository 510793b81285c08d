//! Which rpc a method and path stand for, read from the `google.api.http` annotations of the descriptors: an rpc that is added to
//! the protos has its path without a line here.

use super::template::Template;
use http::Method;
use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor, Value};
use std::borrow::Cow;

/// Services whose rpcs have paths.
const PACKAGES: [&str; 2] = ["strata.gateway.v1", "google.longrunning"];

/// Rpcs that the gateway answers with UNIMPLEMENTED whatever is asked: a path for them would only be a promise. Operations are the audit
/// trail and are not deleted.
const NOT_DONE_HERE: [&str; 1] = ["google.longrunning.Operations.DeleteOperation"];

/// What the body of a request fills.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fills {
    /// Nothing: there must be none, and the query fills what the path does not.
    Nothing,
    /// The whole request.
    All,
    /// This field; the query fills the rest.
    Field(String),
}

/// A method and path, and the rpc behind it.
#[derive(Debug, Clone)]
pub struct Binding {
    /// HTTP method.
    pub method: Method,
    /// The path.
    pub template: Template,
    /// The rpc.
    pub rpc: MethodDescriptor,
    /// The body.
    pub fills: Fills,
}

impl Binding {
    /// Path of the rpc on a gRPC connection.
    pub fn grpc_path(&self) -> String {
        format!("/{}/{}", self.rpc.parent_service().full_name(), self.rpc.name())
    }
}

/// All bindings, the most exact ones first.
///
/// # Errors
/// An annotation is wrong; a mistake in a proto.
pub fn read(pool: &DescriptorPool) -> Result<Vec<Binding>, String> {
    let annotation =
        pool.get_extension_by_name("google.api.http").ok_or("google.api.http is not in the descriptor set")?;
    let services = pool.services().filter(|service| PACKAGES.contains(&service.package_name()));
    let mut bindings = Vec::new();
    for rpc in services.flat_map(|service| service.methods().collect::<Vec<_>>()) {
        let options = rpc.options();
        if !options.has_extension(&annotation) || NOT_DONE_HERE.contains(&rpc.full_name()) {
            continue;
        }
        let Value::Message(rule) = options.get_extension(&annotation).into_owned() else { continue };
        bindings.push(binding(&rpc, &rule)?);
        let more = rule.get_field_by_name("additional_bindings").map(Cow::into_owned);
        for rule in more.as_ref().and_then(Value::as_list).unwrap_or_default() {
            if let Value::Message(rule) = rule {
                bindings.push(binding(&rpc, rule)?);
            }
        }
    }
    bindings.sort_by_key(|binding| std::cmp::Reverse(binding.template.weight()));
    Ok(bindings)
}

fn binding(rpc: &MethodDescriptor, rule: &DynamicMessage) -> Result<Binding, String> {
    let text = |field: &str| match rule.get_field_by_name(field).map(Cow::into_owned) {
        Some(Value::String(text)) if !text.is_empty() => Some(text),
        _ => None,
    };
    let methods = [
        ("get", Method::GET),
        ("put", Method::PUT),
        ("post", Method::POST),
        ("delete", Method::DELETE),
        ("patch", Method::PATCH),
    ];
    let found = methods.into_iter().find_map(|(field, method)| Some((method, text(field)?)));
    let (method, path) =
        found.ok_or_else(|| format!("{}: its rule has no method that is known here", rpc.full_name()))?;
    let fills = match text("body") {
        None => Fills::Nothing,
        Some(all) if all == "*" => Fills::All,
        Some(field) => Fills::Field(field),
    };
    let template = Template::parse(&path).map_err(|why| format!("{}: {why}", rpc.full_name()))?;
    let input = rpc.input();
    let bound = template.variables.iter().map(|variable| &variable.field);
    let absent = bound.into_iter().find(|field| input.get_field_by_name(field).is_none());
    match absent {
        Some(field) => Err(format!("{}: {} has no field {field}", rpc.full_name(), input.full_name())),
        None => Ok(Binding { method, template, rpc: rpc.clone(), fills }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rpc_of_the_gateway_has_a_path_and_no_two_share_one() {
        let pool = DescriptorPool::decode(strata_proto::DESCRIPTOR_SET).unwrap();
        let bindings = read(&pool).unwrap();
        for service in pool.services().filter(|service| service.package_name() == "strata.gateway.v1") {
            for rpc in service.methods() {
                let has = bindings.iter().any(|binding| binding.rpc == rpc);
                assert!(has, "{} has no google.api.http annotation", rpc.full_name());
            }
        }
        for (at, one) in bindings.iter().enumerate() {
            for other in &bindings[at + 1..] {
                let same = one.method == other.method
                    && one.template.segments == other.template.segments
                    && one.template.verb == other.template.verb;
                assert!(!same, "{} and {} have one path", one.rpc.full_name(), other.rpc.full_name());
            }
        }
    }
}
