//! The OpenAPI document of the REST face, made from the descriptors that answer it: what it says of a path is what the path takes.

mod paths;
mod schemas;

use super::bindings::Binding;
use prost_reflect::DescriptorPool;
use schemas::Schemas;
use serde_json::{Map, Value, json};

/// The whole document, OpenAPI 3.1.
pub fn document(pool: &DescriptorPool, bindings: &[Binding]) -> Value {
    let mut schemas = Schemas::default();
    let mut all: Map<String, Value> = Map::new();
    // In the order of the protos, which is one to read.
    for service in pool.services() {
        for binding in bindings.iter().filter(|binding| *binding.rpc.parent_service() == service) {
            let (path, method, operation) = paths::operation(binding, &mut schemas);
            let item = all.entry(path).or_insert_with(|| json!({}));
            if let Value::Object(item) = item {
                item.insert(method, operation);
            }
        }
    }
    if let Some(status) = pool.get_message_by_name("google.rpc.Status") {
        schemas.message(&status);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Strata",
            "version": "v1",
            "description": "Snapshots, clones and reverts of VMware VMs by the storage array underneath. The same API as gRPC \
                (strata.gateway.v1), by its google.api.http annotations; errors are google.rpc.Status.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "paths": all,
        "components": { "schemas": schemas.into_json() },
    })
}

/// The comment above something in its proto.
fn comment(file: &prost_reflect::FileDescriptor, path: &[i32]) -> String {
    let info = file.file_descriptor_proto().source_code_info.as_ref();
    let found = info.and_then(|info| info.location.iter().find(|location| location.path == path));
    let lines = found.map(|location| location.leading_comments()).unwrap_or_default();
    lines.lines().map(str::trim).collect::<Vec<_>>().join(" ").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made() -> Value {
        let pool = DescriptorPool::decode(strata_proto::DESCRIPTOR_SET).unwrap();
        let bindings = super::super::bindings::read(&pool).unwrap();
        document(&pool, &bindings)
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = made();
        let text = document.to_string();
        let mut count = 0;
        for part in text.split("\"$ref\":\"").skip(1) {
            let target = part.split('"').next().unwrap();
            let name = target.strip_prefix("#/components/schemas/").unwrap();
            assert!(document["components"]["schemas"][name].is_object(), "{target}");
            count += 1;
        }
        assert!(count > 30, "{count}");
    }

    #[test]
    fn a_path_says_what_it_takes() {
        let document = made();
        let create = &document["paths"]["/v1/vcenters/{vcenter}/vms/{vm}/snapshots"]["post"];
        let parameters: Vec<&str> =
            create["parameters"].as_array().unwrap().iter().filter_map(|it| it["name"].as_str()).collect();
        assert_eq!(parameters, ["vcenter", "vm"]);
        let body = &create["requestBody"]["content"]["application/json"]["schema"];
        assert!(body["properties"]["grade"].is_object() || body["properties"]["description"].is_object(), "{body}");
        assert!(body["properties"]["vm"].is_null(), "what the path says is not in the body: {body}");
        let list = &document["paths"]["/v1/clones"]["get"];
        let names: Vec<&str> =
            list["parameters"].as_array().unwrap().iter().filter_map(|it| it["name"].as_str()).collect();
        assert!(names.contains(&"pageSize") && names.contains(&"pageToken"), "{names:?}");
    }

    #[test]
    fn whatever_has_a_comment_in_the_protos_has_a_description() {
        let document = made();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                assert!(operation["description"].as_str().is_some_and(|text| text.len() > 5), "{method} {path}");
            }
        }
    }
}
