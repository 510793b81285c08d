//! Lists: filtered, ordered, cut into pages that link to the next.

use super::{
    super::{params::Params, refusal::Refusal},
    fields::select,
    filter::fits,
    kind::{Kind, plain},
    values,
};
use serde_json::{Map, Value, json};
use std::cmp::Ordering;

/// What a list is cut by, beside the request.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Cut {
    /// The most records that the array shows before its time is up.
    pub(in super::super) page_max: usize,
    /// The last page links to one more, which is empty.
    pub(in super::super) empty_last_page: bool,
    /// Records carry their links.
    pub(in super::super) with_links: bool,
}

/// A list on its way out.
#[derive(Debug)]
pub(in super::super) struct Listing {
    pub(in super::super) body: Value,
    /// The next page, for the `Link` header.
    pub(in super::super) next: Option<String>,
}

/// Fields to sort by, each with its direction.
fn order_of<'a>(kind: &'a Kind, params: &'a Params) -> Result<Vec<(&'a str, bool)>, Refusal> {
    let mut order = Vec::new();
    for item in params.get("order_by").unwrap_or_default().split(',').map(str::trim).filter(|item| !item.is_empty()) {
        let (path, direction) = item.split_once(' ').unwrap_or((item, "asc"));
        kind.check(path, |path, _| Refusal::bad_value("order_by", path))?;
        match direction.trim() {
            "asc" => order.push((path, false)),
            "desc" => order.push((path, true)),
            other => return Err(Refusal::bad_value("order_by", other)),
        }
    }
    order.extend(kind.key.iter().map(|path| (*path, false)));
    Ok(order)
}

fn first(record: &Value, path: &str) -> Value {
    values(record, path).first().copied().cloned().unwrap_or_default()
}

fn compare(a: &Value, b: &Value) -> Ordering {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => a.total_cmp(&b),
        _ => plain(a).cmp(&plain(b)),
    }
}

/// How a record stands to where the page starts.
fn against_start(record: &Value, order: &[(&str, bool)], params: &Params) -> Ordering {
    for (path, descending) in order {
        let Some(start) = params.start(path) else { continue };
        let value = first(record, path);
        let start =
            if value.is_number() { start.parse::<f64>().map_or(json!(start), |n| json!(n)) } else { json!(start) };
        let ordering = compare(&value, &start);
        if ordering != Ordering::Equal {
            return if *descending { ordering.reverse() } else { ordering };
        }
    }
    Ordering::Equal
}

fn filtered(kind: &Kind, records: Vec<Value>, params: &Params) -> Result<Vec<Value>, Refusal> {
    let mut kept = records;
    for (path, expression) in params.filters() {
        kind.check(path, |path, _| Refusal::unexpected(path))?;
        kept.retain(|record| fits(&values(record, path), expression));
    }
    if let Some(query) = params.get("query") {
        let fields: Vec<&str> = params.get("query_fields").unwrap_or("name").split(',').collect();
        for path in &fields {
            kind.check(path, |path, _| Refusal::bad_value("query_fields", path))?;
        }
        kept.retain(|record| fields.iter().any(|path| fits(&values(record, path), query)));
    }
    Ok(kept)
}

/// The page that a request asks for. `path` is the request's own path, for links.
pub(in super::super) fn list(
    kind: &Kind,
    records: Vec<Value>,
    params: &Params,
    path: &str,
    cut: Cut,
) -> Result<Listing, Refusal> {
    let order = order_of(kind, params)?;
    let mut records = filtered(kind, records, params)?;
    records.sort_by(|a, b| {
        let each = order.iter().map(|(path, descending)| {
            let ordering = compare(&first(a, path), &first(b, path));
            if *descending { ordering.reverse() } else { ordering }
        });
        each.fold(Ordering::Equal, Ordering::then)
    });
    records.retain(|record| against_start(record, &order, params).is_ge());
    let ended = params.start("end").is_some();
    if ended {
        records.clear();
    }
    let asked = params.number("max_records", (1_usize, 10_000_000))?.unwrap_or(10_000);
    let shown = records.len().min(asked).min(cut.page_max.max(1));
    let next = match records.get(shown) {
        Some(record) => Some(
            order
                .iter()
                .map(|(p, _)| format!("start.{p}={}", super::super::params::encode(&plain(&first(record, p)))))
                .collect::<Vec<_>>()
                .join("&"),
        ),
        // `next` may be there although nothing is left.
        None if cut.empty_last_page && !ended && shown > 0 => Some("start.end=true".to_owned()),
        None => None,
    };
    let next = next.map(|start| {
        let kept = params.repeated(&["max_records"]);
        let kept = if kept.is_empty() { kept } else { format!("&{kept}") };
        let limit = params.get("max_records").map(|max| format!("&max_records={max}")).unwrap_or_default();
        format!("{path}?{start}{limit}{kept}")
    });
    let mut body = Map::new();
    if params.flag("return_records")? != Some(false) {
        let filters: Vec<&str> = params.filters().map(|(path, _)| path).collect();
        let mut out = Vec::new();
        for record in &records[..shown] {
            let mut selected = select(kind, record, params.get("fields"), &filters, false)?;
            if cut.with_links {
                selected["_links"] = kind.links(record);
            }
            out.push(selected);
        }
        body.insert("records".to_owned(), Value::Array(out));
    }
    body.insert("num_records".to_owned(), json!(shown));
    let mut links = Map::new();
    if cut.with_links {
        let query = params.repeated(&[]);
        let query = if query.is_empty() { query } else { format!("?{query}") };
        links.insert("self".to_owned(), json!({"href": format!("{path}{query}")}));
    }
    if let Some(next) = &next {
        links.insert("next".to_owned(), json!({"href": next}));
    }
    if !links.is_empty() {
        body.insert("_links".to_owned(), Value::Object(links));
    }
    Ok(Listing { body: Value::Object(body), next })
}

#[cfg(test)]
mod tests {
    use super::*;

    const THING: Kind =
        Kind { href: "/api/things/{uuid}", key: &["uuid"], shown: &["uuid"], expensive: &[], fields: "uuid size name" };

    fn pages(query: &str, cut: Cut) -> (Vec<String>, Vec<usize>) {
        let records: Vec<Value> =
            (0..5).map(|n| json!({"uuid": format!("u{n}"), "size": 10 * (n % 3), "name": "x"})).collect();
        let (mut seen, mut counts, mut query) = (Vec::new(), Vec::new(), query.to_owned());
        loop {
            let params = Params::parse(&query).unwrap();
            let page = list(&THING, records.clone(), &params, "/api/things", cut).unwrap();
            seen.extend(page.body["records"].as_array().unwrap().iter().map(|r| plain(&r["uuid"])));
            counts.push(usize::try_from(page.body["num_records"].as_u64().unwrap()).unwrap());
            match page.next {
                Some(next) => query = next.split_once('?').unwrap().1.to_owned(),
                None => return (seen, counts),
            }
            assert!(counts.len() < 20, "the pages do not end");
        }
    }

    #[test]
    fn pages_show_each_record_once_in_any_order() {
        let cut = Cut { page_max: 100, empty_last_page: false, with_links: true };
        let whole = ["u0", "u1", "u2", "u3", "u4"];
        assert_eq!(pages("", cut), (whole.map(str::to_owned).to_vec(), vec![5]));
        assert_eq!(pages("max_records=2", cut), (whole.map(str::to_owned).to_vec(), vec![2, 2, 1]));
        assert_eq!(pages("", Cut { page_max: 3, ..cut }).1, [3, 2]);
        assert_eq!(pages("max_records=5", Cut { empty_last_page: true, ..cut }).1, [5, 0]);
        let (sizes, counts) = pages("max_records=2&order_by=size%20desc&fields=size", cut);
        assert_eq!((sizes.join(" ").as_str(), counts), ("u2 u1 u4 u0 u3", vec![2, 2, 1]));
        assert_eq!(pages("size=>5&max_records=1", cut).0, ["u1", "u2", "u4"]);
        assert!(list(&THING, Vec::new(), &Params::parse("colour=red").unwrap(), "/", cut).is_err());
        assert!(list(&THING, Vec::new(), &Params::parse("max_records=0").unwrap(), "/", cut).is_err());
    }
}
